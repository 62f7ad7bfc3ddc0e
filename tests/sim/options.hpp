// What one simulated run is made of.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "storage/ids.hpp"

namespace baraza::sim {

/// Bugs put in on purpose (part F of the rules): the oracles must find each.
enum class bug : std::uint8_t {
  none,
  no_fence,               // the store takes commits of whoever sends them
  ack_before_commit,      // entities hear "durable" when the commit is sent
  release_before_flight,  // a shard is let go while commits of it are on their way
  forgotten_wake_up,      // a taken shard's wake rows are not read
  late_buy_in,            // a closed escrow takes money
  lease_massacre,         // after a store pause the first to renew judges all others
  lost_last_push,         // edges do not renew their subscriptions
  forgets_commands,       // a restart forgets which commands were accepted
  retry_without_looking,  // an unknown outcome is told as a refusal (no rule A4)
  clock_runs_while_down,  // a match that comes back gets no time to answer
  void_twice,             // a void that finds its seq taken is written at the next one
  level_over_newcomers,   // the level is raised without a look at who has joined meanwhile
};
struct named_bug {
  bug what;
  std::string_view name;
  std::uint64_t seeds_max;  // it must be seen within so many, about five times what it takes
};
inline constexpr std::array all_bugs{
    named_bug{bug::no_fence, "no-fence", 300},
    named_bug{bug::ack_before_commit, "ack-before-commit", 10},
    named_bug{bug::release_before_flight, "release-before-flight", 1'000},
    named_bug{bug::forgotten_wake_up, "forgotten-wake-up", 300},
    named_bug{bug::late_buy_in, "late-buy-in", 1'000},
    named_bug{bug::lease_massacre, "lease-massacre", 20},
    named_bug{bug::lost_last_push, "lost-last-push", 150},
    named_bug{bug::forgets_commands, "forgets-commands", 50},
    named_bug{bug::retry_without_looking, "retry-without-looking", 50},
    named_bug{bug::clock_runs_while_down, "clock-runs-while-down", 2'000},
    named_bug{bug::void_twice, "void-twice", 300},
    named_bug{bug::level_over_newcomers, "level-over-newcomers", 300},
};

struct run_options {
  std::uint64_t seed = 1;
  bug with = bug::none;
  std::uint32_t shards = 8;
  int games = 3, edges = 2, matches = 3;
  int fault_steps = 18;        // faults, one every 0.3 to 2.5 virtual seconds
  int lost_pushes = 0;         // of a hundred, beside what the network loses
  millis told_within_ms = 0;   // 0: faults may keep an edge from an event for longer
  bool rolls_upgrade = false;  // whoever starts after the first fault is of a newer binary
  bool keeps_log = false;      // for picture()
};

}  // namespace baraza::sim
