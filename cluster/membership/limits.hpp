// Every bound of the membership folder: unit, reason, and what happens there. Settings may lower
// the times of the option structs beside each class; these are the defaults and the ceilings.
#pragma once

#include <chrono>
#include <cstddef>

namespace baraza::cluster {

using namespace std::chrono_literals;

// Lease: rule B3. A node that cannot renew suspends itself when the last one it *sent* is this old.
inline constexpr auto lease_length = 5000ms;
inline constexpr auto lease_renew_every = 1000ms;
inline constexpr auto lease_retry_every = 250ms;  // after a failed renewal
// Judging others' leases: only after renewals without a gap for lease + this.
inline constexpr auto lease_judge_margin = 1000ms;
// Its renewals were answered at least this often. A member that the store has not heard for
// store_silence_vote had then a time of lease_renew_every in which the store would have heard it.
inline constexpr auto judge_gap_max = 1500ms;
// The store's clock and ours may drift apart by this between two renewals; more means that one of
// them jumped, and then its word about others' leases is worth nothing for a while.
inline constexpr auto store_clock_step_max = 1000ms;

// Failure detector: each node probes this many others, whatever the size of the cluster.
inline constexpr std::size_t probe_targets = 3;
inline constexpr auto probe_every = 500ms;
inline constexpr auto probe_timeout = 1000ms;
inline constexpr std::size_t probe_misses_max = 3;   // in a row: then others are asked to try
inline constexpr auto urgent_probe_timeout = 200ms;  // after a lost link: the peer most likely died
inline constexpr std::size_t probe_helpers = 2;      // asked to try, before accusing
inline constexpr std::size_t relays_max = 64;        // tries for others at a time; more are dropped
// Members that do not watch the one whose link was lost give its watchers this long each, in the
// order of the ring: one death costs the store a few votes, not one from every member.
inline constexpr auto watcher_head_start = 100ms;
inline constexpr auto watcher_head_start_max = 2000ms;
inline constexpr auto accuse_every = 1000ms;  // a vote is repeated while the accused stays silent
// Not scheduled for longer: what went unanswered meanwhile is our own fault and is forgiven.
inline constexpr auto own_pause_max = 1000ms;

// Votes: rule B2.
inline constexpr auto vote_age_max = 5000ms;
// A member that renewed its lease within this is heard by the store: it can still speak for itself.
inline constexpr auto store_silence_vote = 2500ms;
static_assert(judge_gap_max + lease_renew_every <= store_silence_vote);

// Shards.
inline constexpr std::size_t handoffs_in_flight_max = 32;  // planned moves at a time
inline constexpr auto drain_limit = 2000ms;    // then the gate closes the shard and releases
inline constexpr auto handoff_retry = 500ms;   // the coordinator asks again
inline constexpr auto phase_overdue = 2000ms;  // a free shard its taker has not taken: anyone may
inline constexpr auto release_retry = 100ms;   // an unanswered release or take is sent again
inline constexpr auto raise_retry =
    1000ms;  // a raise of the level that did not show is asked again

}  // namespace baraza::cluster
