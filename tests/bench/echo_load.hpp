// The exchange every server is measured with: of each pair of connections one sends 48 bytes, the
// server writes 48 bytes to both, then it is the other one's turn. Masked WebSocket frames, or the
// bare bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baraza::tests {

inline constexpr std::size_t echo_payload = 48;

struct echo_load {
  std::uint16_t port = 0;
  std::uint32_t pairs = 400;
  int seconds = 5;
  bool websocket = false;
};

/// Runs in a process of its own, so that the server's CPU is counted alone. @returns exchanges done
std::uint64_t run_echo_load(const echo_load& what);

/// CPU seconds, user and system, of this process.
double own_cpu_seconds();

}  // namespace baraza::tests
