// Limits of the client side. A server that exceeds them is treated as broken: the connection is
// closed and made anew.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baraza::client {

using namespace std::chrono_literals;

inline constexpr std::size_t frame_bytes_max =
    256 * 1024;  // server pushes are ≤ 64 KiB; larger ends the connection
inline constexpr std::size_t handshake_bytes_max =
    16 * 1024;                                               // of the answer to a WebSocket upgrade
inline constexpr std::size_t http_body_bytes_max = 8 << 20;  // a match record with all its events
inline constexpr std::size_t seed_bytes_max = 64;            // of a client seed, and at least 1
inline constexpr std::uint32_t resends_max = 100;  // of one command before the client gives it up
inline constexpr std::chrono::milliseconds request_deadline =
    10s;  // unanswered: the connection is made anew
inline constexpr std::chrono::milliseconds connect_deadline =
    10s;  // TCP, TLS and WebSocket handshake together
inline constexpr std::chrono::milliseconds backoff_first = 100ms;
inline constexpr std::chrono::milliseconds backoff_last =
    3s;  // doubles from first to last, with ± 50 % jitter
inline constexpr std::chrono::milliseconds retry_after_max =
    5s;  // a server that asks for longer is asked again after this

}  // namespace baraza::client
