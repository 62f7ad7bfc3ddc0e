// Every bound of the cluster folder: unit, reason, and what happens there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baraza::cluster {

using namespace std::chrono_literals;

// Requests that wait for one entity while it loads or commits; the next one is answered
// `overloaded`. A match has few seats with eight requests each; a wallet may be asked by many
// tables at once.
inline constexpr std::size_t entity_stash_max = 256;
// Requests that wait in the whole region for entities being activated; beyond, `overloaded`.
inline constexpr std::size_t region_stash_max = 100'000;
// Entities awake on one node; beyond, an activation is refused `overloaded`. 4 million tables at
// rest would fill 24 GiB.
inline constexpr std::size_t entities_max = 1'000'000;
// Commits in one batch: past 500 the statement's cost per commit no longer falls, while everyone
// waits longer.
inline constexpr std::size_t batch_members_max = 512;
// Payload of one batch; a batch always takes at least one commit, and a commit is bounded by
// commit_bytes_max.
inline constexpr std::size_t batch_bytes_max = 4 * 1024 * 1024;
// Events, snapshot and transfers of one commit; more is a bug of the entity and ends it.
inline constexpr std::size_t commit_bytes_max = 1024 * 1024;
inline constexpr std::size_t commit_events_max = 64;
inline constexpr std::size_t commit_transfers_max = 1024;
// Entities read for activation in one round trip.
inline constexpr std::size_t load_batch_max = 64;
// Batches being read at once; while they are, the next one grows.
inline constexpr std::size_t loads_in_flight_max = 2;
// After a death loads are counted for so long: two more writes a batch. What ends its process more
// rarely than that is not found out.
inline constexpr auto careful_after_death = 1h;
inline constexpr auto load_retry = 1000ms;
inline constexpr auto void_retry = 1000ms;
// Voids that met a commit they had not read; more is a journal that somebody else writes.
inline constexpr std::uint8_t void_conflicts_max = 10;
// Times an entity may have brought its process down before it is voided without running its code.
inline constexpr std::uint32_t attempts_max = 3;
// Questions one entity may have open to others; more is a bug of the entity and ends it.
inline constexpr std::size_t asks_max = 4096;
inline constexpr auto ask_retry =
    1000ms;  // the same question is sent again until answered or past its deadline
inline constexpr auto clock_look_again = 250ms;  // while the store is away no clock fires
// An actor that holds its thread longer ends the node (rule D3): its neighbours starve meanwhile.
inline constexpr auto thread_hold_max = 5000ms;
// What a process that crashes may take to have its store note whose code ran. Its players wait.
inline constexpr auto crash_words_max = 1000ms;
// Strikes for such ends are forgiven when their entity gets on after so long a life, not sooner:
// else whoever knows a deadly command could move in between, and end process after process.
inline constexpr auto strikes_kept = 10min;
inline constexpr auto wheel_tick =
    20ms;  // clocks fire at most this late when nothing else delays them
inline constexpr auto wake_scan_every = 30s;  // repairs any missed wake-up (rule B6)
inline constexpr std::uint32_t wake_scan_rows_max = 10'000;
// Restarts: 5 in 30 s at once, then with back-off, then quarantine.
inline constexpr std::size_t restarts_at_once_max = 5;
inline constexpr auto restart_window = 30s;
inline constexpr std::size_t restarts_long_max = 30;
inline constexpr auto restart_long_window = 10min;
inline constexpr std::size_t restarts_with_backoff_max = 5;
inline constexpr auto restart_backoff_first = 1000ms;  // doubles each time: 1, 2, 4, 8, 16 s
// The gate holds commits while the store is away; an entity has one in flight, so this bounds
// entities that wait.
inline constexpr std::size_t gate_queue_max = 200'000;
inline constexpr auto gate_retry = 100ms;  // until a commit that met a full gate is sent again
// A store that is silent for longer makes the node not ready: new players are sent elsewhere.
inline constexpr auto store_silence_max = 3000ms;
// Several nodes. The member looks at its clocks this often.
inline constexpr auto member_tick = 20ms;
// A start gives up when its name belongs to another node for this long.
inline constexpr auto join_limit = 30s;
// Time to hand all shards to others on SIGTERM; beyond, they are released to nobody, and whoever
// lives takes them.
inline constexpr auto leave_limit = 15s;
// Shards that move while a death is declared change the view under it: it is tried again at once.
inline constexpr int declare_retries_max = 8;
// A number that stood for an edge is not given to another one for this long: no answer to the old
// one is on its way any more.
inline constexpr auto edge_rest = 10min;
// A peer that was only just seen may not have been dialled yet.
inline constexpr auto first_dial_limit = 3s;
// Requests for one shard that wait while it has no owner or cannot be reached; one more is answered
// `overloaded`. After shard_hold_max the others are answered `paused`.
inline constexpr std::size_t shard_stash_max = 4096;
inline constexpr auto shard_hold_max = 2000ms;
// Then those who watch a table of it are told that it is paused.
inline constexpr auto shard_pause_told = 300ms;
inline constexpr auto shard_look_every = 100ms;
inline constexpr auto wake_hold = 50ms;  // a clock that is due before its shard is open
// Operators' questions and orders that wait on one node; one more report is without the others'
// load, one more order is refused.
inline constexpr std::size_t operator_questions_max = 64;
inline constexpr auto report_wait = 300ms;  // for the others' load; it is missing of those beyond
inline constexpr auto order_wait = 2000ms;  // for the coordinator's word; then it is unknown
// A view that changes under a removal: it is read again this often, then the operator must.
inline constexpr int remove_attempts_max = 3;
inline constexpr auto store_retry_first = 20ms;
inline constexpr auto store_retry_max = 1000ms;

}  // namespace baraza::cluster
