// argon2id by libsodium. Slow on purpose: call only on the password pool.
//
//   $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH                              of the password itself
//   $hmac-sha256$k=ID,c=CHECK$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH     of its HMAC with a pepper
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/limits.hpp"
#include "http/peppers.hpp"

namespace baraza::http::passwords {

struct cost {
  unsigned long long passes = limits::argon_passes_min;
  std::size_t memory_bytes = limits::argon_memory_bytes_min;
};

enum class verdict : std::uint8_t {
  right,
  wrong,
  no_key  // made with a pepper that is not listed, or is another one under the same id
};

class hasher {
 public:
  /// @param keys null: none
  hasher(const cost& how, std::shared_ptr<const peppers> keys)
      : how_{how}, keys_{std::move(keys)} {}

  /// With a fresh 16-byte salt and the current pepper; nothing if the memory is not to be had.
  [[nodiscard]] std::optional<std::string> hash(std::string_view password) const;
  /// Takes the same time whatever the difference; wrong for a broken hash.
  [[nodiscard]] verdict verify(std::string_view stored, std::string_view password) const;
  /// True if `stored` was made with another cost or another pepper than hash() would take.
  [[nodiscard]] bool is_outdated(std::string_view stored) const;

 private:
  cost how_;
  std::shared_ptr<const peppers> keys_;
};

/// "ID.CHECK" of the pepper that a stored hash names; empty: none.
std::string key_of(std::string_view stored);

}  // namespace baraza::http::passwords
