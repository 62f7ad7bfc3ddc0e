#include "storage/ids.hpp"

#include <sodium.h>

namespace baraza {
namespace {

void put_time(uuid& id, millis now, std::uint8_t version) {
  for (int i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | version << 4);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

millis uuid::time() const {
  millis t = 0;
  for (int i = 0; i < 6; ++i) t = t << 8 | bytes[i];
  return t;
}

std::string uuid::to_string() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(digits[bytes[i] >> 4]);
    text.push_back(digits[bytes[i] & 15]);
  }
  return text;
}

uuid uuid::v7(millis now) {
  uuid id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  put_time(id, now, 7);
  return id;
}

uuid uuid::v4() {
  uuid id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

uuid uuid::v8(const uuid& parent, std::string_view purpose) {
  crypto_hash_sha256_state state;
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, parent.bytes.data(), parent.bytes.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(purpose.data()),
                            purpose.size());
  crypto_hash_sha256_final(&state, digest.data());
  uuid id;
  std::memcpy(id.bytes.data(), digest.data(), id.bytes.size());
  put_time(id, parent.time(), 8);
  return id;
}

std::optional<uuid> uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = nibble(text[at]), low = nibble(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return id;
}

std::string_view to_string(entity_kind kind) {
  switch (kind) {
    case entity_kind::wallet:
      return "wallet";
    case entity_kind::table:
      return "table";
    case entity_kind::tournament:
      return "tournament";
    case entity_kind::lobby:
      return "lobby";
    case entity_kind::payment:
      return "payment";
    case entity_kind::house:
      return "house";
  }
  return "unknown";
}

std::optional<entity_kind> parse_entity_kind(std::string_view text) {
  for (auto kind = entity_kind::wallet; kind <= entity_kind::house;
       kind = static_cast<entity_kind>(static_cast<int>(kind) + 1))
    if (text == to_string(kind)) return kind;
  return std::nullopt;
}

std::string entity_id::to_string() const {
  return std::string{baraza::to_string(kind)} + '/' + key.to_string();
}

std::uint64_t stable_hash(const entity_id& id) {
  std::uint64_t h = 0xCBF29CE484222325ull;
  const auto mix = [&h](std::uint8_t byte) { h = (h ^ byte) * 0x100000001B3ull; };
  mix(static_cast<std::uint8_t>(id.kind));
  for (const auto byte : id.key.bytes) mix(byte);
  h ^= h >> 33;  // FNV's low bits alone spread poorly over a power of two
  h *= 0xFF51AFD7ED558CCDull;
  h ^= h >> 33;
  return h;
}

}  // namespace baraza
