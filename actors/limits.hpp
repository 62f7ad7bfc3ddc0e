// Limits of the entities. What lies beyond one is refused with a code, never queued without end.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baraza::actors {

inline constexpr std::int64_t stake_minor_max = 100'000'000'000;  // per seat; beyond: `bad_stake`
inline constexpr std::size_t seats_max = 31;  // bit 31 of a seat mask means spectators
static_assert(stake_minor_max * static_cast<std::int64_t>(seats_max) < INT64_MAX / 10'000,
              "a pot times its rake in basis points fits 64 bits");

inline constexpr std::size_t display_bytes_max = 64;  // shown name of a player; longer: `bad_seats`
inline constexpr std::size_t game_name_bytes_max = 32;   // beyond: `unknown_game`
inline constexpr std::size_t repeats_per_seat_max = 64;  // accepted commands remembered (rule D4)
inline constexpr std::size_t joined_commands_max =
    8;  // moves of one commit; the next waits until it has ended
inline constexpr std::size_t recent_events_max = 32;  // public events kept for watchers that resume
inline constexpr std::size_t recent_bytes_max = 2 * 1024;  // and their size; older: a fresh view
inline constexpr std::size_t table_snapshot_every = 64;  // events between two snapshots of a match
inline constexpr std::int64_t commit_prompt_ms =
    1'000;  // a commit that took longer was held: the others saw its clock too late (rule C)
inline constexpr int void_attempts_max = 8;  // rereads of the escrow before the table gives up

inline constexpr std::size_t wallet_repeats_max =
    64;  // buy-ins remembered; older: the store is asked
inline constexpr std::size_t wallet_waiting_max =
    256;  // requests held while a row is read; then `overloaded`
inline constexpr std::size_t wallet_snapshot_every = 50;  // events

inline constexpr std::size_t lobby_queue_max = 20'000;    // tickets of one lobby; then `overloaded`
inline constexpr std::size_t lobby_pairings_max = 4'096;  // tables asked for and not yet answered
// Commands that failed and are refused from then on, of one match; beyond, the oldest is forgotten
// and may fail once more.
inline constexpr std::size_t poisons_max = 64;
inline constexpr int lobby_create_attempts_max =
    6;  // asks of one table before its players are put back

}  // namespace baraza::actors
