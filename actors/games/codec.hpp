// Typed structs to MessagePack and back. A struct lists its fields once:
//
//   struct taken {
//     static constexpr std::string_view name = "taken";   // only where it is one case of a variant
//     std::uint8_t seat = 0;
//     std::uint32_t stones = 0;
//     static void fields(auto& field, auto& self) {
//       field("seat", self.seat);
//       field("stones", self.stones);                     // field.optional(…): may be missing
//     }
//   };
//
// Fields may be bool, integers, enums, double, std::string, std::optional, std::array, std::vector
// and structs of this kind. Reading is strict: a missing, repeated or unknown field, a number out
// of its type's range or a byte after the end fails, so that nothing a player sends is taken for
// something else. msgpack-cxx is not used here because its unpacker allocates a zone per message;
// tests compare with it.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "actors/games/limits.hpp"

namespace baraza::games::codec {

// ---- bytes ----------------------------------------------------------------------------

void put_nil(std::string& out);
void put_bool(std::string& out, bool value);
void put_uint(std::string& out, std::uint64_t value);  // shortest form, as all of these
void put_int(std::string& out, std::int64_t value);
void put_double(std::string& out, double value);
void put_text(std::string& out, std::string_view value);
void put_array(std::string& out, std::size_t size);
void put_map(std::string& out, std::size_t size);

enum class kind : std::uint8_t {
  none,
  nil,
  boolean,
  integer,
  real,
  text,
  binary,
  array,
  map,
  extension
};

/// Reads forwards through bytes that may be anything. After a failed call the position is
/// unspecified.
class reader {
 public:
  explicit reader(std::string_view bytes) : at_{bytes.data()}, end_{at_ + bytes.size()} {}

  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] kind next() const;  // none at the end and for the one byte MessagePack never uses

  bool nil();
  bool boolean(bool& value);
  /// An integer of any encoding; `negative` tells how to read the 64 bits.
  bool integer(std::uint64_t& bits, bool& negative);
  bool real(double& value);
  bool text(std::string_view& value);
  bool binary(std::string_view& value);
  bool array(std::uint32_t& size);  // ≤ elements_max
  bool map(std::uint32_t& size);    // ≤ elements_max
  /// Passes one value of any kind, nested no deeper than `depth`.
  bool skip(int depth = depth_max);

 private:
  bool take(std::size_t size, std::string_view& value);
  bool big_endian(std::size_t size, std::uint64_t& value);
  bool counted(std::size_t length_size, std::string_view& value);

  const char* at_;
  const char* end_;
};

/// Well-formed UTF-8 (RFC 3629). Fields of type std::string must be, as they are shown in JSON too.
bool is_utf8(std::string_view text);

// ---- writing --------------------------------------------------------------------------

namespace detail {
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_list : std::false_type {};
template <class T>
struct is_list<std::vector<T>> : std::true_type {};
template <class T, std::size_t N>
struct is_list<std::array<T, N>> : std::true_type {};
template <class T>
struct is_growing : std::false_type {};
template <class T>
struct is_growing<std::vector<T>> : std::true_type {};

struct counter {
  std::size_t count = 0;
  void operator()(std::string_view, const auto&) { ++count; }
  void optional(std::string_view, const auto&) { ++count; }
};

struct field_writer {
  std::string& out;
  void operator()(std::string_view name, const auto& value);
  void optional(std::string_view name, const auto& value) { (*this)(name, value); }
};
}  // namespace detail

template <class T>
std::size_t field_count(const T& value) {
  detail::counter count;
  T::fields(count, value);
  return count.count;
}

template <class T>
void write(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    put_bool(out, value);
  } else if constexpr (std::is_enum_v<T>) {
    write(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    put_double(out, value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    put_int(out, value);
  } else if constexpr (std::is_integral_v<T>) {
    put_uint(out, value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    put_text(out, value);
  } else if constexpr (detail::is_optional<T>::value) {
    value ? write(out, *value) : put_nil(out);
  } else if constexpr (detail::is_list<T>::value) {
    put_array(out, value.size());
    for (const auto& element : value) write(out, element);
  } else {
    put_map(out, field_count(value));
    detail::field_writer writer{out};
    T::fields(writer, value);
  }
}

void detail::field_writer::operator()(std::string_view name, const auto& value) {
  put_text(out, name);
  write(out, value);
}

/// A struct as a MessagePack map.
template <class T>
std::string encode(const T& value) {
  std::string out;
  out.reserve(64);
  write(out, value);
  return out;
}

/// One case of a variant as a map whose first key `tag` names the case.
template <class... Cases>
std::string encode_case(std::string_view tag, const std::variant<Cases...>& value) {
  std::string out;
  out.reserve(64);
  std::visit(
      [&](const auto& chosen) {
        using chosen_type = std::decay_t<decltype(chosen)>;
        put_map(out, 1 + field_count(chosen));
        put_text(out, tag);
        put_text(out, chosen_type::name);
        detail::field_writer writer{out};
        chosen_type::fields(writer, chosen);
      },
      value);
  return out;
}

// ---- reading --------------------------------------------------------------------------

namespace detail {
/// Fills the one field called `key`; remembers by its position that it was seen.
struct field_reader {
  reader& in;
  std::string_view key;
  std::uint64_t& seen;
  std::size_t index = 0;
  bool found = false;
  bool ok = true;
  void operator()(std::string_view name, auto& value);
  void optional(std::string_view name, auto& value) { (*this)(name, value); }
};

struct missing_finder {
  std::uint64_t seen;
  std::size_t index = 0;
  bool missing = false;
  void operator()(std::string_view, const auto&) { missing |= (seen >> index++ & 1) == 0; }
  void optional(std::string_view, const auto&) { ++index; }
};

/// Reads `size` pairs of a map into a struct; the key `tag` (if not empty) has been read before.
template <class T>
bool read_fields(reader& in, std::uint32_t size, std::string_view tag, T& value) {
  std::uint64_t seen = 0;
  bool tag_seen = false;
  for (std::uint32_t i = 0; i < size; ++i) {
    std::string_view key;
    if (!in.text(key)) return false;
    if (!tag.empty() && key == tag) {
      if (std::exchange(tag_seen, true) || !in.skip()) return false;
      continue;
    }
    field_reader field{in, key, seen};
    T::fields(field, value);
    if (!field.found || !field.ok) return false;
  }
  missing_finder finder{seen};
  T::fields(finder, value);
  return !finder.missing;
}
}  // namespace detail

template <class T>
bool read(reader& in, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return in.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {  // the game checks which numbers it knows
    std::underlying_type_t<T> number{};
    if (!read(in, number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_floating_point_v<T>) {
    return in.real(value);
  } else if constexpr (std::is_integral_v<T>) {
    std::uint64_t bits = 0;
    bool negative = false;
    if (!in.integer(bits, negative)) return false;
    if (negative ? !std::in_range<T>(static_cast<std::int64_t>(bits)) : !std::in_range<T>(bits))
      return false;
    value = static_cast<T>(bits);
    return true;
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!in.text(text) || !is_utf8(text)) return false;
    value = text;
    return true;
  } else if constexpr (detail::is_optional<T>::value) {
    if (in.next() == kind::nil) {
      value.reset();
      return in.nil();
    }
    return read(in, value.emplace());
  } else if constexpr (detail::is_list<T>::value) {
    std::uint32_t size = 0;
    if (!in.array(size)) return false;
    if constexpr (detail::is_growing<T>::value) {
      if (size > in.left())
        return false;  // each element has a byte: no allocation for an empty promise
      value.resize(size);
    } else if (size != value.size()) {
      return false;
    }
    for (auto& element : value) {
      if (!read(in, element)) return false;
    }
    return true;
  } else {
    std::uint32_t size = 0;
    return in.map(size) && detail::read_fields(in, size, {}, value);
  }
}

void detail::field_reader::operator()(std::string_view name, auto& value) {
  const std::size_t own = index++;
  if (found || name != key) return;
  found = true;
  const std::uint64_t bit = std::uint64_t{1} << own;
  if ((seen & bit) != 0) {
    ok = false;
    return;
  }
  seen |= bit;
  ok = read(in, value);
}

/// The struct in these bytes; nothing unless they are exactly one.
template <class T>
std::optional<T> decode(std::string_view bytes) {
  reader in{bytes};
  T value{};
  if (!read(in, value) || !in.at_end()) return std::nullopt;
  return value;
}

/// The text of `tag` in a map, wherever it stands.
std::optional<std::string_view> find_text(std::string_view map_bytes, std::string_view tag);

/// What encode_case wrote; nothing for any other bytes.
template <class Variant>
std::optional<Variant> decode_case(std::string_view tag, std::string_view bytes) {
  const auto name = find_text(bytes, tag);
  if (!name) return std::nullopt;
  std::optional<Variant> result;
  const auto attempt = [&]<class Case>(std::in_place_type_t<Case>) {
    if (Case::name != *name) return false;
    reader in{bytes};
    std::uint32_t size = 0;
    Case value{};
    if (in.map(size) && detail::read_fields(in, size, tag, value) && in.at_end())
      result.emplace(std::in_place_type<Case>, std::move(value));
    return true;
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (attempt(std::in_place_type<std::variant_alternative_t<I, Variant>>) || ...);
  }
  (std::make_index_sequence<std::variant_size_v<Variant>>{});
  return result;
}

}  // namespace baraza::games::codec
