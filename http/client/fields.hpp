// Reading MessagePack in place: server frames, events and views are looked at where they lie,
// nothing is copied. A value of another kind than asked for reads as the fallback: a newer server
// may add, an older one leave out.
#pragma once

#include <cstdint>
#include <string_view>

#include "actors/games/codec.hpp"
#include "storage/ids.hpp"

namespace baraza::client::fields {

/// The bytes of the value under `key`, empty if there is none or the bytes are no map.
std::string_view find(std::string_view map, std::string_view key);
std::string_view text(std::string_view value);                             // or binary
std::uint64_t number(std::string_view value, std::uint64_t fallback = 0);  // negative: fallback
std::int64_t signed_number(std::string_view value, std::int64_t fallback = 0);
bool flag(std::string_view value, bool fallback = false);
/// Text of 36 characters or 16 bytes; nil otherwise.
uuid id(std::string_view value);
/// Reads one value off the front of `bytes`; empty at the end or for malformed bytes (then `bytes`
/// is emptied).
std::string_view take(std::string_view& bytes);

/// Calls `each(element)` for the elements of an array. False if it is none or is cut short.
template <class Each>
bool elements(std::string_view array, Each&& each) {
  games::codec::reader in{array};
  std::uint32_t size = 0;
  if (!in.array(size)) return false;
  std::string_view rest = array.substr(array.size() - in.left());
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::string_view value = take(rest);
    if (value.empty()) return false;
    each(value);
  }
  return true;
}

/// Calls `each(key, value)` for the pairs of a map with text keys. False if it is none or is cut
/// short.
template <class Each>
bool pairs(std::string_view map, Each&& each) {
  games::codec::reader in{map};
  std::uint32_t size = 0;
  if (!in.map(size)) return false;
  std::string_view rest = map.substr(map.size() - in.left());
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::string_view key = take(rest);
    const std::string_view value = take(rest);
    if (value.empty()) return false;
    each(text(key), value);
  }
  return true;
}

}  // namespace baraza::client::fields
