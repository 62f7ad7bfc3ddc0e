// Every bound of a local cluster: unit, reason, and what happens there.
#pragma once

#include <chrono>
#include <cstddef>

namespace baraza::cluster::local {

using namespace std::chrono_literals;

// Nodes and edges a cluster has in its life; one more is refused. Each has a loopback address
// 127.x.y.n of its own, and n has 250 values.
inline constexpr std::size_t members_max = 200;
// From the start of a node to its /readyz; a loaded machine replays journals slowly.
inline constexpr std::chrono::milliseconds ready_limit = 60s;
// From SIGTERM to the end of a node.
inline constexpr std::chrono::milliseconds drain_limit = 60s;
// PostgreSQL: initdb, start with recovery, and fast shutdown.
inline constexpr std::chrono::milliseconds store_start_limit = 60s;
inline constexpr std::chrono::milliseconds store_stop_limit = 30s;
// From SIGKILL to the end of a process; longer means a broken machine.
inline constexpr std::chrono::milliseconds kill_limit = 30s;
// How often what cannot be waited for otherwise is looked at.
inline constexpr std::chrono::milliseconds poll_every = 10ms;
// A node that has not answered its /readyz by then is shown as not ready.
inline constexpr std::chrono::milliseconds probe_limit = 500ms;
inline constexpr std::size_t probe_bytes_max = 1024 * 1024;  // more of an answer is cut off

// Connections of one proxy; one more is closed at once. A node that dials ten times a second into a
// partition of five minutes stays below.
inline constexpr std::size_t proxied_max = 4096;
// One direction of one proxied connection; a full one is backpressure, as a full window is.
inline constexpr std::size_t proxied_bytes = 64 * 1024;
// How soon a proxy that refuses, because its target does, notices that the target listens again.
inline constexpr std::chrono::milliseconds target_poll = 20ms;

// A request to a keeper and its answer; longer closes the connection.
inline constexpr std::size_t request_bytes_max = 64 * 1024;
inline constexpr std::size_t answer_bytes_max = 4 * 1024 * 1024;
// A client of the keeper that sends no whole request is closed.
inline constexpr std::chrono::milliseconds request_limit = 2s;
// What a keeper does before it answers: at the longest, stopping PostgreSQL and every process.
inline constexpr std::chrono::milliseconds answer_limit = 120s;
// Lines of each log that a failed start or test shows.
inline constexpr std::size_t log_tail_lines = 40;

}  // namespace baraza::cluster::local
