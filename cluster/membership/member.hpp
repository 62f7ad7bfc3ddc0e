// One member of the cluster, put together from the deciding classes: lease, failure detector,
// votes, shards, balance. It decides; a port carries out and reports back.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/membership/failure_detector.hpp"
#include "cluster/membership/join_check.hpp"
#include "cluster/membership/lease_keeper.hpp"
#include "cluster/membership/level_rule.hpp"
#include "cluster/membership/rebalancer.hpp"
#include "cluster/membership/shard_keeper.hpp"
#include "cluster/membership/shard_view.hpp"
#include "cluster/membership/vote_count.hpp"

namespace baraza::cluster {

/// What a member wants done. Calls return at once and never call back into the member from inside;
/// the report named beside each follows later, or never: the member then asks again by itself.
class member_port {
 public:
  virtual ~member_port() = default;
  // ---- store (storage::membership_store)
  virtual void renew() = 0;                    // renewed() or renewal_failed()
  virtual void read(std::uint64_t known) = 0;  // state() or read_failed()
  virtual void become_up() = 0;                // seen in the next state()
  virtual void vote(std::uint64_t accused, storage::vote_kind kind) = 0;  // state()
  virtual void withdraw(std::uint64_t accused) = 0;
  virtual void declare_dead(std::uint64_t version, std::span<const std::uint64_t> dead,
                            std::span<const storage::shard_change> changes) = 0;
  virtual void coordinate() = 0;  // coordinating()
  virtual void raise_level(std::uint64_t coordinator_epoch,
                           std::uint16_t level) = 0;  // seen in the next state()
  // ---- peers
  virtual void probe(std::uint64_t target, std::uint64_t number) = 0;  // answered(), unreachable()
  virtual void ask_helper(const ask_helper& what) = 0;                 // likewise
  virtual void greet(std::uint64_t who) = 0;                           // greeted()
  virtual void ask_hand_off(const cluster::ask_hand_off& what) = 0;    // there: hand_off()
  virtual void tell_rows(std::span<const storage::shard_row> rows) = 0;  // everywhere: row()
  // ---- region, gate, and the store's take and release
  virtual void carry_out(const shard_action& what) = 0;  // as each action says
  /// The lease is over or held again: the gate holds commits meanwhile, the region answers
  /// `paused`.
  virtual void suspended(bool is) = 0;
  /// The process ends: the store calls this incarnation dead, or it owns what another one owns.
  virtual void stop(std::string_view why) = 0;
  /// Dead by the store, but without shards: it may join again and keep its players' sockets (rule
  /// B3).
  virtual void expelled() {}
};

/// One thread at a time. Tick at next_look() at the latest; every report may come late, twice or
/// out of order.
class member {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr auto read_every = 1000ms;  // the view, with or without news of one
  // Others move shards many times a second: what concerns us they tell us shard by shard.
  static constexpr auto behind_read_every = 200ms;
  static constexpr auto balance_read_every = 100ms;  // while moves that this node asked for go on
  static constexpr auto coordinate_every = 1000ms;   // staying or becoming coordinator
  static constexpr auto read_limit = 2000ms;         // an answer this late is not waited for
  static constexpr auto up_retry = 500ms;

  /// @param asked_at own clock when the join was sent
  member(std::uint64_t self, std::uint32_t shards, const lease_options& lease, member_port& port,
         time_point asked_at);

  void tick(time_point now);

  // ---- reports of the store
  /// @param connection differs between two connections to the store
  void renewed(std::uint64_t connection, const storage::renewal& what, time_point now);
  /// @param fenced the store knows this incarnation as dead
  void renewal_failed(bool fenced, time_point now);
  void state(const storage::cluster_state& what, time_point now);
  void read_failed() { reading_until_ = {}; }
  /// A peer says that members have changed.
  void read_soon() { next_read_ = {}; }
  /// @param epoch 0: another one is
  void coordinating(std::uint64_t epoch) { coordinator_epoch_ = epoch; }
  /// @param from the peer whose word it is; 0: the store
  void row(const storage::shard_row& what, time_point now, std::uint64_t from = 0);
  /// A death that this node declared is in the store, with these changes: the heirs need not wait
  /// until they have read so.
  void buried(std::span<const storage::shard_change> changes, time_point now);
  void shard_store_failed(shard_id shard, time_point now) { shards_.store_failed(shard, now); }
  // ---- reports of peers
  void answered(std::uint64_t target, std::uint64_t number, bool suspended, time_point now);
  void unreachable(std::uint64_t target, std::uint64_t number, time_point now);
  void link_lost(std::uint64_t peer, time_point now);
  void greeted(std::uint64_t who) { joining_.answered(who); }
  void hand_off(const ask_hand_off& what, time_point now);
  /// An operator's move. @returns false: this node does not coordinate, or there is no such shard
  bool order(shard_id shard, std::uint64_t to);
  /// The process is about to end: from now on it claims nothing that is free.
  void leave() { is_leaving_ = true; }
  /// This node leaves and there is nobody to hand its shards to, or no time: releases them all to
  /// whoever comes.
  void give_up_shards(time_point now);
  // ---- reports of gate and region
  void wakes_loaded(shard_id shard, std::uint64_t epoch);
  void entities_stopped(shard_id shard, std::uint64_t epoch);
  void gate_empty(shard_id shard, std::uint64_t epoch, time_point now);

  [[nodiscard]] std::uint64_t id() const { return self_; }
  [[nodiscard]] bool may_commit(time_point now) const { return lease_.may_commit(now); }
  [[nodiscard]] bool may_judge(time_point now) const { return lease_.may_judge(now); }
  [[nodiscard]] const shard_keeper& shards() const { return shards_; }
  [[nodiscard]] shard_view& view() { return view_; }
  [[nodiscard]] const storage::cluster_state& last_state() const { return state_; }

  /// A bug on purpose, for the simulator: this node judges leases whatever it has seen.
  void judge_always() { judge_always_ = true; }

 private:
  void carry_out(const shard_keeper::actions& actions);
  void carry_out(const detector_action& action);
  void look_after_lease(time_point now);
  void look_after_peers(time_point now);
  void condemn(time_point now);
  void take_back_stale_votes();
  [[nodiscard]] bool has_a_say() const;
  [[nodiscard]] bool judges(time_point now) const { return judge_always_ || lease_.may_judge(now); }

  std::uint64_t self_;
  member_port& port_;
  lease_keeper lease_;
  failure_detector detector_;
  shard_keeper shards_;
  shard_view view_;
  rebalancer balance_;
  level_rule level_;
  join_check joining_;
  storage::cluster_state state_;  // the newest, with all shards
  std::uint64_t coordinator_epoch_ = 0;
  bool suspended_ = false, stopped_ = false, expelled_ = false, is_joining_ = true,
       is_leaving_ = false, judge_always_ = false;
  time_point next_read_{}, behind_read_{}, reading_until_{}, next_coordinate_{}, next_up_{};
};

}  // namespace baraza::cluster
