// argon2id by libsodium. Slow on purpose: call only on the password pool.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/limits.hpp"

namespace baraza::http::passwords {

struct cost {
  unsigned long long passes = limits::argon_passes_min;
  std::size_t memory_bytes = limits::argon_memory_bytes_min;
};

/// PHC string with a fresh 16-byte salt; nothing if the memory is not to be had.
std::optional<std::string> hash(std::string_view password, const cost& how);
/// Takes the same time whatever the difference; false for a broken hash.
bool verify(std::string_view phc, std::string_view password);
/// True if `phc` was made with another cost than `how`.
bool is_outdated(std::string_view phc, const cost& how);

}  // namespace baraza::http::passwords
