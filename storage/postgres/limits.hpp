// Every bound of the PostgreSQL store in one place: times in milliseconds unless the name says
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baraza::storage::postgres {

inline constexpr int connect_timeout_s = 5;        // one attempt; the caller tries again
inline constexpr int tcp_user_timeout_ms = 5'000;  // unacknowledged bytes: the peer is gone
inline constexpr int statement_timeout_ms =
    5'000;  // the server gives a statement up: nothing of it applied
inline constexpr int lock_timeout_ms =
    2'000;  // waiting for a row: longer means a stuck writer, so hold and retry
inline constexpr int idle_in_transaction_ms =
    1'000;  // a paused client must not hold its fence row (rule A2)
inline constexpr int connection_check_ms =
    1'000;  // the server notices a client that went away during a commit
inline constexpr int commit_deadline_ms =
    10'000;  // then the outcome is unknown; above statement_timeout, so that a
             // slow answer arrives before it
inline constexpr int membership_timeout_ms = 2'000;  // a lease is 5 s: its renewal gives up in time
inline constexpr int death_lock_timeout_ms = 500;  // then the dead node's connections are ended, as
                                                   // one of them holds its fence row (rule B1)
inline constexpr int administration_timeout_ms = 60'000;  // migrations, attaching partitions
inline constexpr int verify_snapshot_ms = 2'000;  // rule A11: a longer snapshot slows hot rows

inline constexpr std::size_t rounds_max =
    64;  // statements per wave: each removes a culprit, skips a repeat or is a retry
inline constexpr std::size_t transient_retries_max =
    8;  // of 40001, 40P01 and lost races; then unavailable
inline constexpr std::uint32_t activation_events_max =
    10'000;  // events after a snapshot that come with the first read; the rest by pages
inline constexpr std::uint32_t rows_max = 10'000;  // wakes and incidents per read
inline constexpr std::uint32_t shards_max = 65'536;
inline constexpr std::uint16_t writers_max = 64;

static_assert(commit_deadline_ms > statement_timeout_ms + lock_timeout_ms);

}  // namespace baraza::storage::postgres
