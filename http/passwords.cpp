#include "http/passwords.hpp"

#include <sodium.h>

namespace baraza::http::passwords {

std::optional<std::string> hash(std::string_view password, const cost& how) {
  char phc[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(phc, password.data(), password.size(), how.passes, how.memory_bytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return std::nullopt;
  }
  return std::string{phc};
}

bool verify(std::string_view phc, std::string_view password) {
  const std::string z{phc};
  return z.size() < crypto_pwhash_STRBYTES &&
         crypto_pwhash_str_verify(z.c_str(), password.data(), password.size()) == 0;
}

bool is_outdated(std::string_view phc, const cost& how) {
  const std::string z{phc};
  return crypto_pwhash_str_needs_rehash(z.c_str(), how.passes, how.memory_bytes) != 0;
}

}  // namespace baraza::http::passwords
