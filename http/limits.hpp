// Every limit of the edge, with its unit, its reason and what happens there. Settings may lower
// one, never raise it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baraza::http::limits {

using namespace std::chrono_literals;

// ---- HTTP
inline constexpr std::size_t header_bytes_max =
    8 * 1024;  // request line and fields; beyond: 431 and close
inline constexpr std::size_t body_bytes_max =
    16 * 1024;  // no route takes more; beyond the route's own limit: 413 and close
inline constexpr std::uint32_t keep_alive_requests_max =
    200;  // then "Connection: close", so that no socket lives for ever
inline constexpr auto header_time =
    5s;  // from the first byte awaited to the blank line; then the socket closes
inline constexpr auto body_time = 10s;        // for the whole body
inline constexpr auto keep_alive_time = 15s;  // between requests
inline constexpr auto respond_time = 10s;     // a route that has no answer by then: 504
inline constexpr auto write_time =
    10s;                              // a response or frame that does not leave: the socket closes
inline constexpr auto tls_time = 5s;  // TLS handshake
// ---- WebSocket
inline constexpr std::size_t frame_bytes_max =
    64 * 1024;  // message after reassembly; larger: close 1009
inline constexpr std::size_t session_inflight_max =
    8;  // requests not yet answered; the ninth is refused
inline constexpr std::size_t watched_tables_max = 16;  // per session; beyond: `too_many_tables`
inline constexpr std::size_t session_outbox_frames_max =
    256;  // a slow reader is closed with 1013, never waited for
inline constexpr std::size_t session_outbox_bytes_max = 1024 * 1024;
inline constexpr std::uint32_t session_rate_refusals_max =
    200;  // refused messages, less those accepted since, then close 1008
inline constexpr auto upgrade_time = 5s;  // WebSocket handshake
inline constexpr auto hello_time = 5s;  // a connection without a token must say hello by then: 1008
inline constexpr auto ping_after = 30s;  // of silence
inline constexpr auto idle_time = 60s;   // of silence: the peer is gone
inline constexpr auto close_time = 5s;   // for the peer's half of the closing handshake
// ---- Sockets and rates
inline constexpr std::size_t sockets_max = 65'536;  // of this edge; beyond: closed at accept
inline constexpr std::size_t operator_sockets_max =
    64;  // beside the players': a full node still answers its probes
inline constexpr std::uint32_t sockets_per_address_max =
    1024;  // carrier NAT puts many players behind one address
inline constexpr std::size_t address_keys_max =
    65'536;  // addresses and accounts remembered by a limiter
inline constexpr std::size_t access_cache_max =
    65'536;                                         // access tokens known without asking the store
inline constexpr std::size_t tickets_max = 16'384;  // WebSocket tickets not yet used
inline constexpr auto ticket_time = 30s;
// What one account may do beside plain moves, over all its connections to this edge; refused beyond
// with `rate_limited`. Each of these wakes a lobby or moves money through two wallets.
inline constexpr std::uint32_t joins_per_s_max = 20;   // lobby.join; twice as many at once
inline constexpr std::uint32_t stakes_per_s_max = 20;  // table.open, table.concede; likewise
// ---- Accounts
inline constexpr std::size_t password_bytes_min = 8;
inline constexpr std::size_t password_bytes_max = 128;  // argon2id must not be fed megabytes
inline constexpr std::size_t breached_passwords_max =
    10'000'000;                                 // 80 MB; a longer file refuses to start
inline constexpr std::size_t peppers_max = 16;  // keys in the pepper file
inline constexpr std::size_t pepper_file_bytes_max = 16 * 1024;
inline constexpr std::size_t name_bytes_max = 254;  // RFC 5321's longest path
inline constexpr std::size_t display_bytes_max = 32;
inline constexpr std::size_t device_bytes_max = 64;
inline constexpr std::size_t password_threads_max = 16;  // argon2id takes a core and 19 MiB each
inline constexpr std::size_t password_queue_max =
    256;  // one thread at the least cost is through in about respond_time; beyond: 503
inline constexpr std::size_t store_threads = 4;
inline constexpr std::size_t store_queue_max = 4096;  // beyond: 503
inline constexpr std::size_t sessions_per_player_max =
    16;  // the oldest login ends when the seventeenth begins
inline constexpr unsigned long long argon_passes_min =
    2;  // OWASP ASVS 5.0, appendix C: t=2, m=19 MiB, p=1
inline constexpr std::size_t argon_memory_bytes_min = 19456 * 1024;

static_assert(session_outbox_bytes_max >= frame_bytes_max, "one frame must fit an empty outbox");

}  // namespace baraza::http::limits
