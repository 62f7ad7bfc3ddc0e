// A cluster of shard keepers around one store, on one thread, in virtual time: messages are lost,
// delayed and doubled, store operations fail or land later than their sender knows, nodes pause,
// die and come back. The store refuses what a real one refuses; the oracle refuses what must never
// come.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "cluster/membership/gate_shards.hpp"
#include "cluster/membership/rebalancer.hpp"
#include "cluster/membership/shard_keeper.hpp"
#include "cluster/membership/shard_view.hpp"
#include "tests/cluster/membership/seed.hpp"

namespace baraza::cluster {

class shard_world {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Bugs on purpose: the oracle must find each.
  enum class bug { none, release_before_flight, no_fence, reopen_in_place };

  shard_world(std::uint64_t seed, std::uint32_t shards, bug with = bug::none);

  void join();
  void run_for(std::chrono::milliseconds length);
  /// Something bad, or an operator's doing, at random.
  void act_at_random();
  /// No more faults; what is paused goes on.
  void heal();
  /// Empty, or why the cluster is not whole: each shard open at the one node that the store names.
  [[nodiscard]] std::string why_not_whole() const;
  /// Empty, or the first thing that must never come.
  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] std::size_t commits() const { return commits_; }
  [[nodiscard]] std::size_t moves() const { return moves_; }

 private:
  struct node {
    explicit node(std::uint64_t self, std::uint32_t shards)
        : id{self}, keeper{self, shards}, gate{shards}, view{self, shards} {}
    std::uint64_t id;
    shard_keeper keeper;
    gate_shards gate;
    shard_view view;
    rebalancer balance;
    bool running = true;
    time_point paused_until{};
  };
  struct event {
    time_point at;
    std::uint64_t order;
    std::uint64_t node;  // 0: the store's own; else dropped with the process, late while it pauses
    std::function<void()> what;
    bool operator<(const event& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  void at(time_point when, std::uint64_t whom, std::function<void()> what);
  void after(std::int64_t most, std::uint64_t whom, std::function<void()> what);
  bool chance(int percent) { return faults_ && tests::pick(random_, 1, 100) <= percent; }
  void note(std::uint64_t what);
  void check_beliefs();

  void carry_out(node& n, shard_keeper::actions actions);
  void do_take(node& n, const take_shard& what);
  void do_release(node& n, const release_shard& what);
  void store_operation(node& n, shard_id shard, const std::function<void()>& change);
  void close_gate_of(node& n, const close_gate& what);
  void play(node& n);
  void commit(node& n, shard_id shard, std::uint64_t epoch);
  void settle(node& n, shard_id shard, std::uint64_t epoch);
  void refresh(node& n);
  void coordinate(node& n);
  void declare_dead(std::uint64_t who);
  void expire_leases();
  storage::cluster_state snapshot();
  [[nodiscard]] bool is_member(std::uint64_t who) const { return members_.contains(who); }

  tests::random_source random_;
  bug bug_;
  bool faults_ = true;
  time_point now_{std::chrono::hours{1}};
  std::priority_queue<event> events_;
  std::uint64_t order_ = 0, next_id_ = 1, version_ = 0;
  std::map<std::uint64_t, std::unique_ptr<node>> nodes_;
  std::map<std::uint64_t, storage::member> members_;  // the store's
  std::map<std::uint64_t, time_point> renewed_;
  std::vector<storage::shard_row> rows_;
  std::uint64_t coordinator_ = 0, coordinator_epoch_ = 0;
  std::map<std::pair<shard_id, std::uint64_t>, std::uint64_t> writers_;  // (shard, epoch) → node
  std::string violation_;
  std::uint64_t trace_ = 0;
  std::size_t commits_ = 0, moves_ = 0;
};

}  // namespace baraza::cluster
