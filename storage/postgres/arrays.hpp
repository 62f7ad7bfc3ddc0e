// PostgreSQL's binary array format, written straight into one buffer: the server copies such
// elements instead of parsing text, which is a measurable part of a commit (docs/performance.md).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "storage/ids.hpp"

namespace baraza::storage::postgres {

/// Object ids of element types and their arrays, as fixed in PostgreSQL's catalogue (pg_type.dat).
namespace oid {
inline constexpr std::uint32_t boolean = 16, bytea = 17, int8 = 20, int2 = 21, int4 = 23,
                               uuid = 2950;
inline constexpr std::uint32_t boolean_array = 1000, bytea_array = 1001, int8_array = 1016,
                               int2_array = 1005, int4_array = 1007, uuid_array = 2951;
}  // namespace oid

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
  auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
  char bytes[sizeof(Integer)];
  for (std::size_t i = sizeof(Integer); i-- > 0; bits = static_cast<decltype(bits)>(bits >> 7 >> 1))
    bytes[i] = static_cast<char>(bits & 0xFF);
  out.append(bytes, sizeof(Integer));
}

template <class Integer>
Integer read_big_endian(const char* bytes) {
  std::make_unsigned_t<Integer> value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value = static_cast<decltype(value)>(value << 7 << 1 | static_cast<std::uint8_t>(bytes[i]));
  return static_cast<Integer>(value);
}

/// A one-dimensional array that grows element by element; reused from batch to batch, so that it
/// stops allocating.
class binary_array {
 public:
  explicit binary_array(std::uint32_t element) : element_{element} { clear(); }

  void clear() {
    bytes_.clear();
    count_ = 0;
    append_big_endian<std::int32_t>(bytes_, 1);  // dimensions
    append_big_endian<std::int32_t>(bytes_,
                                    0);  // holds nulls; the server looks at the elements themselves
    append_big_endian<std::uint32_t>(bytes_, element_);
    append_big_endian<std::int32_t>(bytes_, 0);  // count, patched by data()
    append_big_endian<std::int32_t>(bytes_, 1);  // lower bound
  }
  void push(const uuid& id) {
    push_bytes({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
  void push(std::int64_t value) { push_integer(value); }
  void push(std::int32_t value) { push_integer(value); }
  void push(std::int16_t value) { push_integer(value); }
  void push(bool value) {
    const char byte = value ? 1 : 0;
    push_bytes({&byte, 1});
  }
  void push_bytes(std::string_view value) {
    ++count_;
    append_big_endian<std::int32_t>(bytes_, static_cast<std::int32_t>(value.size()));
    bytes_.append(value);
  }
  void push_null() {
    ++count_;
    append_big_endian<std::int32_t>(bytes_, -1);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// The finished value; valid until the next push or clear.
  std::string_view data() {
    for (int i = 0; i < 4; ++i) bytes_[12 + i] = static_cast<char>(count_ >> (24 - 8 * i));
    return bytes_;
  }

 private:
  template <class Integer>
  void push_integer(Integer value) {
    ++count_;
    append_big_endian<std::int32_t>(bytes_, sizeof(Integer));
    append_big_endian(bytes_, value);
  }

  std::uint32_t element_;
  std::size_t count_ = 0;
  std::string bytes_;
};

}  // namespace baraza::storage::postgres
