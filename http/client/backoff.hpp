// Pauses between attempts to reach a server that is away.
#pragma once

#include <chrono>

#include <sodium.h>

namespace baraza::client {

/// `pause` ± 50 %: the clients of a restarted server do not all come back in the same millisecond.
inline std::chrono::milliseconds jittered(std::chrono::milliseconds pause) {
  const auto half = static_cast<std::uint32_t>(pause.count() / 2);
  return std::chrono::milliseconds{half + randombytes_uniform(2 * half + 1)};
}

}  // namespace baraza::client
