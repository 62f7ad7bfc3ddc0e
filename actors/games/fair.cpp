// SHA-256 through OpenSSL's direct functions: the EVP interface fetches and allocates for every
// context, which costs more than hashing one block. They are deprecated but kept for the life of
// OpenSSL 3.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "actors/games/fair.hpp"

#include <openssl/sha.h>

#include <cstring>
#include <stdexcept>

namespace baraza::fair {
namespace {

constexpr std::size_t hash_block = 64;  // bytes SHA-256 compresses at a time

void put_u16(std::string& out, std::size_t value) {
  out.push_back(static_cast<char>(value >> 8 & 0xFF));
  out.push_back(static_cast<char>(value & 0xFF));
}

std::string prefix_of(const seeds& from, std::uint64_t nonce) {
  if (from.game_id.size() > 0xFFFF) throw std::invalid_argument{"fair: game id too long"};
  if (from.clients.size() > 0xFF) throw std::invalid_argument{"fair: too many client seeds"};
  std::string out;
  out.reserve(160);
  out += encoding;
  put_u16(out, from.game_id.size());
  out += from.game_id;
  out.push_back(static_cast<char>(from.clients.size()));
  for (const auto& seed : from.clients) {
    if (seed.size() > 0xFFFF) throw std::invalid_argument{"fair: client seed too long"};
    put_u16(out, seed.size());
    out += seed;
  }
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(nonce >> shift & 0xFF));
  return out;
}

/// Contexts that have absorbed the key with the inner and the outer padding of RFC 2104.
void absorb_key(std::string_view key, SHA256_CTX& inner, SHA256_CTX& outer) {
  bytes32 short_key;
  if (key.size() > hash_block) {
    short_key = sha256(key);
    key = {reinterpret_cast<const char*>(short_key.data()), short_key.size()};
  }
  std::array<std::uint8_t, hash_block> padded{};
  std::memcpy(padded.data(), key.data(), key.size());
  for (auto& byte : padded) byte ^= 0x36;
  SHA256_Init(&inner);
  SHA256_Update(&inner, padded.data(), padded.size());
  for (auto& byte : padded) byte ^= 0x36 ^ 0x5C;
  SHA256_Init(&outer);
  SHA256_Update(&outer, padded.data(), padded.size());
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bytes32 sha256(std::string_view data) {
  bytes32 digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, data.data(), data.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

bytes32 hmac_sha256(std::string_view key, std::string_view data) {
  SHA256_CTX inner;
  SHA256_CTX outer;
  absorb_key(key, inner, outer);
  bytes32 digest;
  SHA256_Update(&inner, data.data(), data.size());
  SHA256_Final(digest.data(), &inner);
  SHA256_Update(&outer, digest.data(), digest.size());
  SHA256_Final(digest.data(), &outer);
  return digest;
}

std::string to_hex(std::span<const std::uint8_t> data) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(data.size() * 2);
  for (const auto byte : data) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 0xF]);
  }
  return out;
}

std::string to_hex(std::string_view data) {
  return to_hex(std::span{reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
}

bool from_hex(std::string_view text, std::string& out) {
  out.clear();
  if (text.size() % 2 != 0) return false;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

bytes32 commitment(const bytes32& server_seed) {
  return sha256({reinterpret_cast<const char*>(server_seed.data()), server_seed.size()});
}

bytes32 client_commitment(std::string_view client_seed, std::string_view salt) {
  std::string joined{client_seed};
  joined += salt;
  return sha256(joined);
}

std::string block_message(const seeds& from, std::uint64_t nonce, std::uint32_t block) {
  std::string out = prefix_of(from, nonce);
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(block >> shift & 0xFF));
  return out;
}

stream::stream(const seeds& from, std::uint64_t nonce) {
  static_assert(sizeof(SHA256_CTX) == sizeof(hash_state), "hash_state must hold OpenSSL's context");
  SHA256_CTX inner;
  SHA256_CTX outer;
  absorb_key({reinterpret_cast<const char*>(from.server.data()), from.server.size()}, inner, outer);
  const std::string prefix = prefix_of(from, nonce);
  SHA256_Update(&inner, prefix.data(), prefix.size());
  std::memcpy(&inner_, &inner, sizeof inner);
  std::memcpy(&outer_, &outer, sizeof outer);
}

void stream::refill() {
  SHA256_CTX context;
  std::memcpy(&context, &inner_, sizeof context);
  const std::array<std::uint8_t, 4> counter{
      static_cast<std::uint8_t>(block_ >> 24), static_cast<std::uint8_t>(block_ >> 16),
      static_cast<std::uint8_t>(block_ >> 8), static_cast<std::uint8_t>(block_)};
  bytes32 digest;
  SHA256_Update(&context, counter.data(), counter.size());
  SHA256_Final(digest.data(), &context);
  std::memcpy(&context, &outer_, sizeof context);
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  for (std::size_t i = 0; i < words_.size(); ++i) {
    words_[i] = std::uint32_t{digest[4 * i]} << 24 | std::uint32_t{digest[4 * i + 1]} << 16 |
                std::uint32_t{digest[4 * i + 2]} << 8 | digest[4 * i + 3];
  }
  ++block_;
  used_ = 0;
}

std::vector<std::uint16_t> stream::shuffle(std::uint16_t n) {
  std::vector<std::uint16_t> out(n);
  shuffle(std::span{out});
  return out;
}

}  // namespace baraza::fair
