// MessagePack as the edge needs it: a bounded reader over foreign bytes and an appending writer.
// Neither throws for bad bytes. Kept apart from the big library because one decode per move has a
// budget of a microsecond and bytes here are hostile.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace baraza::http::pack {

inline constexpr int depth_max = 16;  // nested containers, the outermost counted

enum class fault : std::uint8_t { none, malformed, too_deep, bad_text };
enum class kind : std::uint8_t {
  nil,
  boolean,
  unsigned_,
  negative,
  real,
  text,
  binary,
  array,
  map,
  ext
};

/// One head: a scalar with its value, or a container's count.
struct item {
  kind what = kind::nil;
  std::uint64_t number =
      0;  // unsigned_, boolean (0/1), array and map counts; negative: two's complement
  double real = 0;
  std::string_view bytes;  // text, binary, ext (payload)
  [[nodiscard]] bool is_container() const { return what == kind::array || what == kind::map; }
};

/// True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// Reads heads from left to right and never beyond the end. Counts are checked against the bytes
/// that are left, so that a claimed length costs nothing.
class cursor {
 public:
  explicit cursor(std::string_view bytes) : at_{bytes.data()}, end_{bytes.data() + bytes.size()} {}
  /// The next head. False: the bytes end too early, a length lies, or 0xC1.
  bool next(item& out);
  /// Skips one whole value of at most `depth` nested containers. Texts must be UTF-8.
  fault skip(int depth);
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] const char* position() const { return at_; }

 private:
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  template <class T>
  bool number(T& out) {
    if (left() < sizeof(T)) return false;
    std::memcpy(&out, at_, sizeof(T));
    if constexpr (sizeof(T) == 2) out = static_cast<T>(__builtin_bswap16(out));
    if constexpr (sizeof(T) == 4) out = static_cast<T>(__builtin_bswap32(out));
    if constexpr (sizeof(T) == 8) out = static_cast<T>(__builtin_bswap64(out));
    at_ += sizeof(T);
    return true;
  }
  bool unsigned_item(int log2_bytes, std::uint64_t& out);
  bool bytes(item& out, kind what, std::size_t size);
  bool container(item& out, kind what, std::uint64_t count);
  bool long_head(unsigned char head, item& out);
  const char* at_;
  const char* end_;
};

// ---- writing: the shortest form of each value, appended

namespace detail {
template <class T>
void big_endian(std::string& out, T value) {
  char raw[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    raw[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  out.append(raw, sizeof(T));
}
}  // namespace detail

void put_unsigned(std::string& out, std::uint64_t value);
void put_signed(std::string& out, std::int64_t value);
void put_real(std::string& out, double value);
void put_text(std::string& out, std::string_view text);
void put_binary(std::string& out, std::string_view bytes);
void put_map(std::string& out, std::uint32_t pairs);
void put_array(std::string& out, std::uint32_t items);
inline void put_nil(std::string& out) { out.push_back('\xC0'); }
inline void put_bool(std::string& out, bool value) { out.push_back(value ? '\xC3' : '\xC2'); }

/// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
/// Either case; false unless `text` is exactly 2 · `size` hexadecimal digits.
bool from_hex(std::string_view text, void* out, std::size_t size);

}  // namespace baraza::http::pack
