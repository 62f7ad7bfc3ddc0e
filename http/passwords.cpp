#include "http/passwords.hpp"

#include <sodium.h>

namespace baraza::http::passwords {
namespace {

constexpr std::string_view key_mark = "$hmac-sha256$k=", check_mark = ",c=",
                           hash_mark = "$argon2id$";

/// A stored hash, taken apart.
struct parts {
  std::string_view id, check;  // empty: no pepper
  std::string phc;
};
parts take_apart(std::string_view stored) {
  if (!stored.starts_with(key_mark)) return {{}, {}, std::string{stored}};
  const auto check = stored.find(check_mark, key_mark.size());
  const auto hash = stored.find(hash_mark, key_mark.size());
  if (check == std::string_view::npos || hash == std::string_view::npos || check > hash)
    return {{}, {}, {}};  // broken: it fits no password
  const auto behind = check + check_mark.size();
  return {stored.substr(key_mark.size(), check - key_mark.size()),
          stored.substr(behind, hash - behind), std::string{stored.substr(hash)}};
}

bool fits(const std::string& phc, const char* bytes, std::size_t size) {
  return phc.size() < crypto_pwhash_STRBYTES &&
         crypto_pwhash_str_verify(phc.c_str(), bytes, size) == 0;
}

}  // namespace

std::optional<std::string> hasher::hash(std::string_view password) const {
  char phc[crypto_pwhash_STRBYTES];
  const auto argon = [&](const char* bytes, std::size_t size) {
    return crypto_pwhash_str_alg(phc, bytes, size, how_.passes, how_.memory_bytes,
                                 crypto_pwhash_ALG_ARGON2ID13) == 0;
  };
  const auto* key = keys_ ? keys_->current() : nullptr;
  if (key == nullptr)
    return argon(password.data(), password.size()) ? std::optional<std::string>{phc} : std::nullopt;
  const auto mixed = key->mixed_with(password);
  if (!argon(reinterpret_cast<const char*>(mixed.data()), mixed.size())) return std::nullopt;
  return std::string{key_mark} + key->id + std::string{check_mark} + key->check + phc;
}

verdict hasher::verify(std::string_view stored, std::string_view password) const {
  const auto of = take_apart(stored);
  if (of.id.empty())
    return fits(of.phc, password.data(), password.size()) ? verdict::right : verdict::wrong;
  const auto* key = keys_ ? keys_->find(of.id, of.check) : nullptr;
  if (key == nullptr) return verdict::no_key;
  const auto mixed = key->mixed_with(password);
  return fits(of.phc, reinterpret_cast<const char*>(mixed.data()), mixed.size()) ? verdict::right
                                                                                 : verdict::wrong;
}

bool hasher::is_outdated(std::string_view stored) const {
  const auto of = take_apart(stored);
  const auto* key = keys_ ? keys_->current() : nullptr;
  const bool same_key = key == nullptr ? of.id.empty() : of.id == key->id && of.check == key->check;
  return !same_key ||
         crypto_pwhash_str_needs_rehash(of.phc.c_str(), how_.passes, how_.memory_bytes) != 0;
}

std::string key_of(std::string_view stored) {
  const auto of = take_apart(stored);
  return of.id.empty() ? std::string{} : std::string{of.id} + '.' + std::string{of.check};
}

}  // namespace baraza::http::passwords
