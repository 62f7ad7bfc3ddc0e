#include "cluster/membership/member.hpp"

#include <algorithm>

namespace baraza::cluster {

member::member(std::uint64_t self, std::uint32_t shards, const lease_options& lease,
               member_port& port, time_point asked_at)
    : self_{self},
      port_{port},
      lease_{lease, asked_at},
      detector_{self},
      shards_{self, shards},
      view_{self, shards},
      joining_{self} {}

void member::tick(time_point now) {
  if (stopped_) return;
  look_after_lease(now);
  if (stopped_) return;
  // A move is known to those whom it concerns. If all others read at once what its version hides,
  // they do so on the very cores that its players wait for.
  if (!view_.is_behind())
    behind_read_ = {};
  else if (behind_read_ == time_point{})
    behind_read_ = now + behind_read_every;
  if (now >= reading_until_ && (now >= next_read_ || (view_.is_behind() && now >= behind_read_))) {
    const bool is_moving = balance_.in_flight() != 0 && state_.coordinator == self_;
    next_read_ = now + (is_moving ? balance_read_every : read_every);
    behind_read_ = now + behind_read_every;
    reading_until_ = now + read_limit;
    port_.read(view_.version());
  }
  if (is_joining_) {
    for (const auto who : joining_.tick(now)) port_.greet(who);
    if (state_.version != 0 && joining_.is_complete() && now >= next_up_) {
      next_up_ = now + up_retry;
      port_.become_up();
    }
  }
  look_after_peers(now);
  carry_out(shards_.tick(now));
  if (is_joining_ || !lease_.may_commit(now)) return;
  if (now >= next_coordinate_) {
    next_coordinate_ = now + coordinate_every;
    port_.coordinate();
  }
  if (coordinator_epoch_ == 0 || state_.coordinator != self_) return;
  for (const auto& ask : balance_.tick(state_, coordinator_epoch_, now)) port_.ask_hand_off(ask);
  if (const auto level = level_.tick(state_, now)) port_.raise_level(coordinator_epoch_, *level);
}

void member::look_after_lease(time_point now) {
  if (lease_.must_exit()) {
    stopped_ = true;
    return port_.stop("the store has declared this node dead");
  }
  if (lease_.at(now) == lease_keeper::state::lost && !expelled_) {
    expelled_ = true;  // until it joins again it goes on reading where everything is
    port_.expelled();
  }
  if (lease_.is_due(now)) {
    lease_.sent(now);
    port_.renew();
  }
  if (const bool is = !lease_.may_commit(now); is != suspended_) {
    suspended_ = is;
    port_.suspended(is);
  }
}

// ---- the store's reports ----------------------------------------------------------------------

void member::renewed(std::uint64_t connection, const storage::renewal& what, time_point now) {
  lease_.renewed(now, connection, what.now);
  view_.hear_of(what.version);
  look_after_lease(now);
}

void member::renewal_failed(bool fenced, time_point now) {
  if (fenced) lease_.found_dead();
  lease_.failed(now);
  look_after_lease(now);
}

void member::state(const storage::cluster_state& what, time_point now) {
  reading_until_ = {};
  if (stopped_ || what.version < state_.version) return;
  auto shards = what.shards.empty() ? std::move(state_.shards) : what.shards;
  if (what.shards.empty() && what.version != state_.version) {
    // Shards of another version are not these: the next read asks for all of them.
    state_.shards = std::move(shards);
    return view_.hear_of(what.version);
  }
  state_ = what;
  state_.shards = std::move(shards);
  view_.apply(state_);
  const auto own = std::ranges::find(state_.members, self_, &storage::member::incarnation);
  is_joining_ = own == state_.members.end() || own->status == storage::member_status::joining;
  detector_.set_members(state_.members, now);
  joining_.set_members(state_.members);
  for (const auto& row : state_.shards) carry_out(shards_.row(row, now));
  if (!is_joining_ && !is_leaving_)
    for (const auto& heir : heirs_of(state_))
      if (heir.who == self_) carry_out(shards_.claim(heir.shard, heir.epoch, now));
  condemn(now);
}

/// A newcomer may judge only when nobody is left who could: all who are up are past their leases.
/// It would wait for their greetings for ever, and they own shards.
bool member::has_a_say() const {
  if (!is_joining_) return true;
  const auto is_heard = [&](const storage::member& m) {
    return m.status != storage::member_status::joining && m.lease_until >= state_.now;
  };
  return std::ranges::find(state_.members, self_, &storage::member::incarnation) !=
             state_.members.end() &&
         std::ranges::none_of(state_.members, is_heard);
}

/// Our own vote counts only while we hold it, whatever the store has: one that was sent while the
/// store stood still lands when its accused may long have answered, perhaps after its withdrawal.
void member::take_back_stale_votes() {
  std::erase_if(state_.votes, [&](const storage::vote& v) {
    if (v.accuser != self_ || detector_.accuses(v.accused)) return false;
    port_.withdraw(v.accused);
    return true;
  });
}

void member::condemn(time_point now) {
  if (!has_a_say() || !lease_.may_commit(now)) return;
  take_back_stale_votes();
  std::vector<std::uint64_t> dead;
  for (const auto& sentence : count_votes(state_, judges(now)))
    if (sentence.who != self_) dead.push_back(sentence.who);  // of ourselves others say so
  if (dead.empty()) return;
  port_.declare_dead(state_.version, dead, reassign(state_, dead));
  next_read_ = now;
}

void member::row(const storage::shard_row& what, time_point now, std::uint64_t from) {
  view_.learn(what.id, {what.owner, what.epoch, what.next_owner, view_.at(what.id).version}, from);
  carry_out(shards_.row(what, now));
}

void member::buried(std::span<const storage::shard_change> changes, time_point now) {
  std::vector<storage::shard_row> rows;
  for (const auto& c : changes)
    rows.push_back({c.shard, c.to, c.epoch + (c.to != 0 ? 1 : 0), 0, 0});
  port_.tell_rows(rows);
  for (const auto& each : rows) row(each, now);
}

// ---- the peers' reports -----------------------------------------------------------------------

void member::answered(std::uint64_t target, std::uint64_t number, bool suspended, time_point now) {
  detector_.answered(target, number, suspended, now);
}

void member::unreachable(std::uint64_t target, std::uint64_t number, time_point now) {
  detector_.unreachable(target, number, now);
  look_after_peers(now);
}

void member::link_lost(std::uint64_t peer, time_point now) {
  detector_.link_lost(peer, now);
  look_after_peers(now);
}

/// With each bad news, not only with the next tick: three ticks would pass until a vote.
void member::look_after_peers(time_point now) {
  if (stopped_) return;
  for (const auto& action : detector_.tick(now, judges(now))) carry_out(action);
}

void member::hand_off(const ask_hand_off& what, time_point now) {
  shard_keeper::actions out;
  shards_.hand_off(what.shard, what.epoch, what.to, what.coordinator_epoch, now, out);
  carry_out(out);
}

bool member::order(shard_id shard, std::uint64_t to) {
  const bool coordinates = coordinator_epoch_ != 0 && state_.coordinator == self_ && !suspended_;
  if (!coordinates || shard >= state_.shards.size()) return false;
  balance_.order(shard, to);
  return true;
}

void member::give_up_shards(time_point now) {
  shard_keeper::actions out;
  shards_.give_up(now, out);
  carry_out(out);
}

void member::wakes_loaded(shard_id shard, std::uint64_t epoch) {
  carry_out(shards_.wakes_loaded(shard, epoch));
}
void member::entities_stopped(shard_id shard, std::uint64_t epoch) {
  carry_out(shards_.entities_stopped(shard, epoch));
}
void member::gate_empty(shard_id shard, std::uint64_t epoch, time_point now) {
  carry_out(shards_.gate_empty(shard, epoch, now));
}

// ---- carrying out -----------------------------------------------------------------------------

void member::carry_out(const shard_keeper::actions& actions) {
  for (const auto& action : actions) {
    if (stopped_) return;
    if (const auto* stop = std::get_if<stop_node>(&action)) {
      stopped_ = true;
      return port_.stop(stop->why);
    }
    port_.carry_out(action);
  }
}

void member::carry_out(const detector_action& action) {
  if (const auto* p = std::get_if<send_probe>(&action)) return port_.probe(p->target, p->number);
  if (const auto* h = std::get_if<ask_helper>(&action)) return port_.ask_helper(*h);
  if (const auto* v = std::get_if<accuse>(&action)) {
    // The store refuses a newcomer's vote. The detector repeats it, once this member is up, too.
    if (!is_joining_) port_.vote(v->target, v->kind);
    return;
  }
  port_.withdraw(std::get<withdraw_vote>(action).target);
}

}  // namespace baraza::cluster
