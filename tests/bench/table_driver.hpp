// Stands where an edge stands and plays the first moves of many matches at once.
#pragma once

#include <caf/event_based_actor.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/games/fair.hpp"
#include "cluster/services.hpp"

namespace baraza::tests {

struct scripted_match {
  uuid match, one, two;
  std::size_t step = 0;  // of the script
  std::uint64_t seq = 0;
};

struct table_script {
  std::size_t last_step = 3;   // 3: created and both ready; 5: both opened; then draws
  std::size_t window = 2'000;  // requests open at once
  bool watch_only = false;     // one table_watch each: what wakes a table
};

/// What the main thread waits for.
struct table_tally {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t finished = 0, refused = 0;
};

/// Plays all `matches` from the step they are at; the edge number is 1. `matches` and `tally`
/// outlive it.
caf::actor spawn_table_driver(caf::actor_system& system,
                              std::shared_ptr<cluster::node_services> node,
                              std::vector<scripted_match>& matches, table_script how,
                              table_tally& tally);

}  // namespace baraza::tests
