// Identifiers: 128-bit keys, entity ids, shards. Everything durable is named by one of these.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace baraza {

/// Milliseconds since the Unix epoch, in cluster time (rule C: the store's clock carried forward by
/// the local steady clock).
using millis = std::int64_t;

/// A 128-bit key in RFC 9562 byte order: comparing bytes compares time for versions 7 and 8.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const uuid&) const = default;
  [[nodiscard]] bool is_nil() const { return *this == uuid{}; }
  /// Milliseconds in the first 48 bits (versions 7 and 8 only).
  [[nodiscard]] millis time() const;
  /// 8-4-4-4-12 lower-case hexadecimal.
  [[nodiscard]] std::string to_string() const;

  /// A random, time-ordered UUIDv7 at `now`; its 74 random bits come from the operating system's
  /// generator.
  static uuid v7(millis now);
  /// A random UUIDv4: player keys, which must say nothing about when a player joined.
  static uuid v4();
  /// A UUIDv8 derived from what it pays for: the milliseconds of `parent` (rule A1: it meets the
  /// same partition), then 74 bits of SHA-256 over parent and purpose. The same arguments always
  /// give the same id, so that a repeat is recognised.
  static uuid v8(const uuid& parent, std::string_view purpose);
  /// Accepts exactly what to_string writes, in either case.
  static std::optional<uuid> parse(std::string_view text);
};

enum class entity_kind : std::uint8_t {
  wallet = 1,
  table = 2,
  tournament = 3,
  lobby = 4,
  payment = 5,
  house = 6
};

/// One actor of the system, wherever it lives. Wallets: the player's random key; tables: the
/// match's UUIDv7.
struct entity_id {
  entity_kind kind{};
  uuid key;
  auto operator<=>(const entity_id&) const = default;
  [[nodiscard]] std::string to_string() const;  // "wallet/0190…"
};

std::string_view to_string(entity_kind kind);
std::optional<entity_kind> parse_entity_kind(std::string_view text);  // as to_string writes it

/// Stable over versions and machines (FNV-1a 64 over kind and key, then a finaliser): it decides
/// ownership, so never std::hash.
std::uint64_t stable_hash(const entity_id& id);

using shard_id = std::uint32_t;
inline shard_id shard_of(const entity_id& id, std::uint32_t shards) {
  return static_cast<shard_id>(stable_hash(id) % shards);
}

/// The writer connection, of `writers`, that commits an entity's changes: always the same one, so
/// that they stay in order.
inline std::uint16_t writer_of(const entity_id& id, std::uint16_t writers) {
  return static_cast<std::uint16_t>(stable_hash(id) / 65'537 % writers);
}

}  // namespace baraza

template <>
struct std::hash<baraza::uuid> {  // in-memory maps only
  std::size_t operator()(const baraza::uuid& id) const noexcept {
    std::uint64_t a, b;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return (a ^ (b * 0x9E3779B97F4A7C15ull)) * 0xFF51AFD7ED558CCDull >> 7;
  }
};
template <>
struct std::hash<baraza::entity_id> {
  std::size_t operator()(const baraza::entity_id& id) const noexcept {
    return std::hash<baraza::uuid>{}(id.key) + static_cast<std::size_t>(id.kind);
  }
};
