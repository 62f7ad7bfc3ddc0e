// What every actor of a node shares: handles, clock, options. Built by node.cpp before the first
// actor, outlives the last.
#pragma once

#include <array>
#include <atomic>
#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include "actors/entity.hpp"
#include "cluster/cluster_clock.hpp"
#include "cluster/messages.hpp"
#include "cluster/reachability.hpp"
#include "cluster/read_pool.hpp"
#include "cluster/recent_events.hpp"
#include "cluster/version.hpp"
#include "cluster/watchdog.hpp"
#include "storage/membership.hpp"
#include "storage/store.hpp"

namespace baraza::cluster {

inline constexpr std::size_t edges_max =
    128;  // gateways that one node pushes to, its own among them
/// In a process the own edge is always this one; on the wire too.
inline constexpr std::uint32_t own_edge = 1;

enum class severity : std::uint8_t { debug, info, warning, error };

/// Counters for /metrics and the benchmarks; relaxed, so a reading may be a little old.
struct node_counters {
  std::atomic<std::uint64_t> commits{0}, commits_refused{0}, batches{0}, activations{0},
      passivations{0}, crashes{0}, voids{0}, quarantines{0}, requests{0}, overloaded{0}, wakes{0},
      unknown_outcomes{0}, store_holds{0};
  std::atomic<std::int64_t> entities{0}, tables{0}, sessions{0}, stash{0}, gate_queue{0};
  // Several nodes: shards handed to others, taken, nodes declared dead by this one; requests that
  // wait for a shard, and links to others that stand.
  std::atomic<std::uint64_t> handoffs{0}, shards_taken{0}, deaths{0};
  std::atomic<std::int64_t> held{0}, links_up{0};
  std::array<std::atomic<std::uint64_t>, 16>
      commit_us_log2{};  // bucket i: batches that took < 2^(i+8) µs
};

/// Rules that a node needs of its entities, given by main so that the runtime knows no game.
struct entity_factory {
  std::function<std::unique_ptr<actors::entity>(const entity_id&)>
      make;  // null: the kind is unknown here
  /// The change that voids an entity whose journal cannot be folded, without running its code (rule
  /// D2). Nothing: it cannot be voided.
  std::function<std::optional<actors::void_plan>(
      const entity_id&, const std::vector<storage::journal_event>&,
      const std::vector<storage::transfer>&, std::string_view why, millis now)>
      plan_void;
  /// The escrow accounts whose transfers plan_void needs; none for kinds without one.
  std::function<std::vector<storage::account_id>(const entity_id&,
                                                 const std::vector<storage::journal_event>&)>
      escrows_of;
};

/// The handle of an actor that others already send to while it is set or taken away: a node starts
/// and ends its actors while wake-ups, writers and sockets are at work.
class actor_slot {
 public:
  void set(caf::actor fresh) {
    const std::lock_guard lock{mutex_};
    handle_.swap(fresh);
    filled_.store(static_cast<bool>(handle_), std::memory_order_release);
  }  // an actor that ends with its last handle does so after the lock: it may look here
  /// Empty before and after; sending to an empty handle does nothing.
  [[nodiscard]] caf::actor get() const {
    // Of the edges' slots most stay empty, and every push to a player looks at all of them.
    if (!filled_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock{mutex_};
    return handle_;
  }

 private:
  mutable std::mutex mutex_;
  caf::actor handle_;
  std::atomic<bool> filled_{false};
};

/// The newest view of the cluster, for those who show it: operators, metrics. Any thread.
class cluster_board {
 public:
  void show(std::shared_ptr<const storage::cluster_state> what, std::uint64_t self) {
    const std::lock_guard lock{mutex_};
    self_ = self;
    state_ = std::move(what);
  }
  /// Null: alone, or nothing was read yet.
  [[nodiscard]] std::shared_ptr<const storage::cluster_state> get() const {
    const std::lock_guard lock{mutex_};
    return state_;
  }
  /// This node in it; null: not in it, or there is none.
  [[nodiscard]] std::shared_ptr<const storage::member> own() const {
    const std::lock_guard lock{mutex_};
    if (!state_) return nullptr;
    for (const auto& each : state_->members)
      if (each.incarnation == self_) return {state_, &each};
    return nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const storage::cluster_state> state_;
  std::uint64_t self_ = 0;
};

struct node_services {
  storage::store& store;
  storage::node_grant grant;
  std::uint32_t shards = 1024;
  cluster_clock clock;
  read_pool& reads;
  entity_factory factory;
  millis passivate_after = 120'000;
  std::chrono::milliseconds restart_backoff = restart_backoff_first;
  std::size_t gate_waiting_max = gate_queue_max;
  std::function<void(std::string_view)>
      stop_node;  // the node may not go on (fenced, gate broken): ends the process
  /// Structured log: level, event ("entity.crashed"), entity or empty, detail. Must be cheap and
  /// thread-safe.
  std::function<void(severity, std::string_view, std::string_view, std::string_view)> log;
  /// Called for each step of each request when steps are logged: event, entity, detail. Empty: they
  /// are not.
  std::function<void(const cause&, std::string_view, const entity_id&, std::string_view)> trace;
  watchdog dog;
  node_counters counters;
  reachability reach;
  actor_slot gate, region;
  std::array<actor_slot, edges_max> gateways;  // by edge number; 0 is nobody

  /// Empty for nobody, an unknown edge and one that is not attached.
  [[nodiscard]] caf::actor gateway(std::uint32_t edge) const {
    return edge != 0 && edge < edges_max ? gateways[edge].get() : caf::actor{};
  }
  // ---- several nodes
  std::shared_ptr<class peers> others;  // null: this node is alone and owns every shard
  actor_slot membership;
  /// Past its lease: nothing is committed, requests are answered `paused` (rule B3).
  std::atomic<bool> is_suspended{false};
  /// A member that is up, and has seen every shard with an owner.
  std::atomic<bool> is_member{false};
  /// The cluster's (rule A9): forms that an older binary cannot read are written only from theirs
  /// on. Alone it is the binary's own.
  std::atomic<std::uint16_t> level{own_version().level};
  cluster_board board;
  recent_events events;
  std::function<void()> join_again;  // of a node without shards; returns at once

  [[nodiscard]] shard_id shard(const entity_id& who) const { return shard_of(who, shards); }
};

}  // namespace baraza::cluster
