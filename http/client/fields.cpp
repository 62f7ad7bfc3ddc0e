#include "http/client/fields.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace baraza::client::fields {

using games::codec::kind;
using games::codec::reader;

std::string_view take(std::string_view& bytes) {
  reader in{bytes};
  if (!in.skip()) {
    bytes = {};
    return {};
  }
  const std::string_view value = bytes.substr(0, bytes.size() - in.left());
  bytes.remove_prefix(value.size());
  return value;
}

std::string_view find(std::string_view map, std::string_view key) {
  reader in{map};
  std::uint32_t size = 0;
  if (!in.map(size)) return {};
  for (std::uint32_t i = 0; i < size; ++i) {
    std::string_view name;
    if (!in.text(name)) return {};
    const std::size_t start = map.size() - in.left();
    if (!in.skip()) return {};
    if (name == key) return map.substr(start, map.size() - in.left() - start);
  }
  return {};
}

std::string_view text(std::string_view value) {
  reader in{value};
  std::string_view bytes;
  const bool ok = in.next() == kind::binary ? in.binary(bytes) : in.text(bytes);
  return ok ? bytes : std::string_view{};
}

std::uint64_t number(std::string_view value, std::uint64_t fallback) {
  reader in{value};
  std::uint64_t bits = 0;
  bool negative = false;
  return in.integer(bits, negative) && !negative ? bits : fallback;
}

std::int64_t signed_number(std::string_view value, std::int64_t fallback) {
  reader in{value};
  std::uint64_t bits = 0;
  bool negative = false;
  if (!in.integer(bits, negative)) return fallback;
  if (!negative && bits > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return fallback;
  return static_cast<std::int64_t>(bits);
}

bool flag(std::string_view value, bool fallback) {
  reader in{value};
  bool read = false;
  return in.boolean(read) ? read : fallback;
}

uuid id(std::string_view value) {
  const std::string_view bytes = text(value);
  uuid key;
  if (bytes.size() == key.bytes.size()) {
    std::memcpy(key.bytes.data(), bytes.data(), bytes.size());
  } else if (const auto parsed = uuid::parse(bytes)) {
    key = *parsed;
  }
  return key;
}

}  // namespace baraza::client::fields
