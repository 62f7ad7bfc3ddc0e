// Every bound of a link: unit, reason, and what happens there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "cluster/wire/limits.hpp"

namespace baraza::cluster {

using namespace std::chrono_literals;

// Peers of one node; more are not dialled, and said so. 200 nodes are simulated, none is bigger.
inline constexpr std::size_t link_peers_max = 1024;
// Connections that have not said a valid hello; one more is closed at once. A mesh of 200 nodes
// that starts at once stays below, a flood from outside costs no memory.
inline constexpr std::size_t link_strangers_max = 256;
// Frames before the hello was accepted; a longer one closes the connection.
inline constexpr std::size_t handshake_bytes_max = 4 * 1024;
// Names in a hello; longer is refused. A name is one DNS label of the node's certificate.
inline constexpr std::size_t link_name_bytes_max = 63;
// Waiting for one peer's socket; beyond, send() answers `full`. At 100 MB/s this is 80 ms.
inline constexpr std::size_t link_outbox_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t link_outbox_messages_max = 16 * 1024;
// Frames written with one system call.
inline constexpr std::size_t link_batch_bytes_max = 128 * 1024;
// Pings and pongs that wait for a socket that takes nothing; more ends the connection.
inline constexpr std::size_t link_control_bytes_max = 16 * 1024;
// The longest time a message may wait for its socket, whatever its sender wished.
inline constexpr std::chrono::milliseconds link_send_wait_max = 10s;
// The same sentence is logged once in this time.
inline constexpr std::chrono::milliseconds link_log_quiet = 10s;
inline constexpr std::size_t link_log_sentences_max = 256;
inline constexpr std::chrono::milliseconds link_tick = 20ms;

}  // namespace baraza::cluster
