// The coordinator's side of planned moves, and who takes a free shard that its taker did not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "cluster/membership/allocator.hpp"
#include "cluster/membership/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

/// Asks `from` to hand `shard` to `to`. The row is `from`'s alone to change (rule B4), so an ask is
/// a wish: it may be lost, repeated, or come from a coordinator that has since been replaced.
struct ask_hand_off {
  shard_id shard = 0;
  std::uint64_t epoch = 0, from = 0, to = 0, coordinator_epoch = 0;
  bool operator==(const ask_hand_off&) const = default;
};

/// One planned move, step by step, and who goes on when somebody dies there:
///
/// | step | row | coordinator dies | owner dies | taker dies |
/// |---|---|---|---|---|
/// | asked, draining | owner, e | the owner goes on by itself | declared dead: adopted | another taker is asked for |
/// | given | taker, e + 1 | nothing | nothing: it is over | declared dead: adopted |
/// | the taker is not up | free → taker, e | nothing | nothing | an heir takes it |
///
/// So the coordinator keeps nothing that its successor would need: all is in the rows. What it
/// remembers is only whom it asked, to keep moves few at a time and not to ask too often.
class rebalancer {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit rebalancer(std::size_t in_flight_max = handoffs_in_flight_max)
      : in_flight_max_{in_flight_max} {}

  /// What to ask now. Call on each new snapshot and at next_look(), while this node coordinates.
  /// @param state with all shards
  std::vector<ask_hand_off> tick(const storage::cluster_state& state,
                                 std::uint64_t coordinator_epoch, time_point now);
  /// An operator's move: like a planned one, once; the balance moves another shard back.
  void order(shard_id shard, std::uint64_t to) { ordered_[shard] = to; }
  [[nodiscard]] time_point next_look(time_point now) const;
  [[nodiscard]] std::size_t in_flight() const { return asked_.size(); }

 private:
  struct ask {
    std::uint64_t epoch = 0, to = 0;
    time_point next;
  };
  void forget_ended(const storage::cluster_state& state);

  std::size_t in_flight_max_;
  std::map<shard_id, ask> asked_;
  std::map<shard_id, std::uint64_t> ordered_, obeyed_;  // obeyed: there, and not moved since
};

/// Free shards that nobody is about to take: named nobody, or somebody who is not up, or 2 s ago.
/// Each with the node that should claim it: the same answer on every node, and the store's
/// compare-and-set decides between nodes with different snapshots. With nobody up who owns
/// shards, one that drains takes them back: it goes on draining when somebody is.
struct heir {
  shard_id shard = 0;
  std::uint64_t epoch = 0, who = 0;
  bool operator==(const heir&) const = default;
};
std::vector<heir> heirs_of(const storage::cluster_state& state);

/// Owners by shard for the allocator: a free shard counts for the living node it is meant for.
shard_owners meant_owners(const storage::cluster_state& state);

/// The rows of the transaction that declares `dead` dead: all that they own, and what was free for
/// them, with its new owner (0 if nobody is left to own shards).
using reassignment = storage::shard_change;
std::vector<reassignment> reassign(const storage::cluster_state& state,
                                   std::span<const std::uint64_t> dead);

}  // namespace baraza::cluster
