#include "http/auth_tokens.hpp"

#include <sodium.h>

namespace baraza::http::tokens {

std::string make(std::string_view prefix) {
  unsigned char raw[bytes];
  randombytes_buf(raw, sizeof raw);
  char text[64];
  sodium_bin2base64(text, sizeof text, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  sodium_memzero(raw, sizeof raw);
  return std::string{prefix} + text;
}

std::optional<storage::digest> digest_of(std::string_view prefix, std::string_view token) {
  if (token.size() != length || !token.starts_with(prefix)) return std::nullopt;
  for (const char c : token.substr(prefix.size())) {
    const bool known = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '_';
    if (!known) return std::nullopt;
  }
  storage::digest out;
  crypto_hash_sha256(out.data(), reinterpret_cast<const unsigned char*>(token.data()),
                     token.size());
  return out;
}

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view scheme = "bearer ";
  if (authorization.size() <= scheme.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != scheme[i]) return {};
  }
  return authorization.substr(scheme.size());
}

}  // namespace baraza::http::tokens
