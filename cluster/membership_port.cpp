// What the member wants done: questions to the store on their lanes, words to peers, steps to
// region and gate.
#include <algorithm>
#include <caf/send.hpp>

#include "cluster/limits.hpp"
#include "cluster/membership_actor.hpp"

namespace baraza::cluster {
namespace {

bool all_living(const storage::cluster_state& state, const std::vector<std::uint64_t>& who) {
  return std::ranges::all_of(who, [&](std::uint64_t one) {
    return std::ranges::find(state.members, one, &storage::member::incarnation) !=
           state.members.end();
  });
}

}  // namespace

// ---- store

void membership_actor::renew() {
  const auto question = ++renewals_;
  const auto asked = cluster_clock::steady();
  renewal_due_ = now() + parts_->lease.length / 2;
  const bool queued = ask_store(
      leases_,
      [self = parts_->self, lease = parts_->lease.length](auto& store) {
        auto answer = store.renew(self, lease.count());
        return std::pair{std::move(answer), cluster_clock::steady()};
      },
      [question, asked](membership_actor& a, const auto& got) {
        a.on_renewed(question, got.first, asked, got.second);
      });
  if (!queued) renewal_due_ = now();
}

void membership_actor::read(std::uint64_t known) {
  ask_store(
      views_, [known](auto& store) { return store.read(known); },
      [](membership_actor& a, const auto& state) { a.on_state(state); });
}

void membership_actor::set_status(storage::member_status to) {
  next_status_ = now() + member::up_retry;
  ask_store(
      changes_,
      [self = parts_->self, to](auto& store) {
        auto changed = store.set_status(self, to);
        return std::pair{std::move(changed), store.read(0)};
      },
      [to](membership_actor& a, const auto& got) {
        const bool has_left = got.first && to == storage::member_status::left;
        if (!got.first)
          a.log(severity::warning, "membership.status_refused", got.first.why().message);
        else
          a.log(severity::info, "membership.status", to_string(to));
        a.caused_news_ = a.caused_news_ || static_cast<bool>(got.first);
        if (has_left) return a.has_left();
        a.on_state(got.second);
      });
}

void membership_actor::become_up() { set_status(storage::member_status::up); }

void membership_actor::vote(std::uint64_t accused, storage::vote_kind kind) {
  log(severity::warning, "membership.accused",
      std::to_string(accused) +
          (kind == storage::vote_kind::silent ? " is silent" : " has lost the store"));
  ask_store(
      views_,
      [self = parts_->self, accused, kind, known = member_.view().version()](auto& store) {
        return store.accuse(self, accused, kind, known);
      },
      [](membership_actor& a, const auto& state) { a.on_state(state); });
}

void membership_actor::withdraw(std::uint64_t accused) {
  views_.submit(
      [self = parts_->self, accused](auto& store) { (void)store.withdraw(self, accused); });
}

void membership_actor::declare_dead(std::uint64_t version, std::span<const std::uint64_t> dead,
                                    std::span<const storage::shard_change> changes) {
  if (is_declaring_) return;
  std::vector<std::uint64_t> who{dead.begin(), dead.end()};
  std::vector<storage::shard_change> wanted{changes.begin(), changes.end()};
  std::string names;
  for (const auto one : who) names += ' ' + std::to_string(one);
  log(severity::warning, "membership.declares_dead", names.substr(1));
  is_declaring_ = ask_store(
      changes_,
      [self = parts_->self, version, who = std::move(who),
       wanted = std::move(wanted)](auto& store) {
        auto rows = wanted;
        auto done = store.declare_dead(self, version, who, rows);
        // A shard that moved meanwhile has changed the view: the sentence stands, its heirs do not.
        for (int again = 0; again < declare_retries_max && done && !*done; ++again) {
          const auto state = store.read(0);
          if (!state || !all_living(*state, who)) break;
          rows = reassign(*state, who);
          done = store.declare_dead(self, state->version, who, rows);
        }
        return std::pair{std::move(done), std::move(rows)};
      },
      [count = dead.size()](membership_actor& a, const auto& got) {
        a.is_declaring_ = false;
        if (!got.first)
          a.log(severity::warning, "membership.death_refused", got.first.why().message);
        if (got.first && *got.first) {
          a.node_->counters.deaths += count;
          a.caused_news_ = true;
          a.member_.buried(got.second, now());
        }
        a.read(0);
      });
}

void membership_actor::coordinate() {
  ask_store(
      views_,
      [self = parts_->self, lease = parts_->lease.length](auto& store) {
        return store.coordinate(self, lease.count());
      },
      [](membership_actor& a, const auto& epoch) {
        if (epoch) a.member_.coordinating(*epoch);
      });
}

void membership_actor::raise_level(std::uint64_t coordinator_epoch, std::uint16_t level) {
  ask_store(
      views_,
      [self = parts_->self, coordinator_epoch, level](auto& store) {
        auto raised = store.raise_level(self, coordinator_epoch, level);
        return std::pair{std::move(raised), store.read(0)};
      },
      [level](membership_actor& a, const auto& got) {
        const bool is_done = got.first && *got.first;
        if (is_done)
          a.log(severity::info, "membership.level_raised",
                "every member can read level " + std::to_string(level));
        a.caused_news_ = a.caused_news_ || is_done;
        a.on_state(got.second);
      });
}

// ---- peers

void membership_actor::probe(std::uint64_t target, std::uint64_t number) {
  if (node_->others->send(target, wire::probe{number}) == peers::sent::queued) return;
  // A peer that was only just seen has not been dialled yet: that is no sign of its death.
  const auto known = known_.find(target);
  const bool is_new = known != known_.end() && !known->second.was_up &&
                      now() - known->second.since < first_dial_limit;
  if (is_new) return;
  later([target, number](membership_actor& a) { a.member_.unreachable(target, number, now()); });
}

void membership_actor::ask_helper(const cluster::ask_helper& what) {
  node_->others->send(what.helper, wire::try_for{what.target, what.number});
}

void membership_actor::tell_rows(std::span<const storage::shard_row> rows) {
  for (const auto& row : rows) news_.push_back({row.id, row.owner, row.epoch, row.next_owner});
}

void membership_actor::greet(std::uint64_t who) { node_->others->send(who, wire::greeting{}); }

void membership_actor::ask_hand_off(const cluster::ask_hand_off& what) {
  if (what.from == parts_->self)
    return later([what](membership_actor& a) { a.member_.hand_off(what, now()); });
  node_->others->send(what.from,
                      wire::hand_off{what.shard, what.epoch, what.to, what.coordinator_epoch});
}

// ---- region and gate

void membership_actor::carry_out(const shard_action& what) {
  if (const auto* take = std::get_if<take_shard>(&what)) {
    to_take_.push_back({take->shard, take->epoch, 0});
  } else if (const auto* release = std::get_if<release_shard>(&what)) {
    to_release_.push_back({release->shard, release->epoch, release->to});
  } else if (const auto* released = std::get_if<announce_row>(&what)) {
    ++node_->counters.handoffs;
    tell_rows({&released->row, 1});
  } else if (const auto* open = std::get_if<open_gate>(&what)) {
    ++node_->counters.shards_taken;
    caf::anon_send(node_->gate.get(), gate_shard{open->shard, open->epoch, true});
    news_.push_back({open->shard, parts_->self, open->epoch, 0});
    steps_.push_back(what);
  } else {
    if (const auto* close = std::get_if<close_gate>(&what))
      caf::anon_send(node_->gate.get(), gate_shard{close->shard, close->epoch, false});
    steps_.push_back(what);
  }
}

void membership_actor::suspended(bool is) {
  node_->is_suspended = is;
  // Rule C: clocks stand while nothing can be committed. The membership has a lane of its own
  // there, behind those of the writers.
  if (is)
    node_->reach.stumbled(reachability::writers_max - 1);
  else
    node_->reach.ended(reachability::writers_max - 1);
  caf::anon_send(node_->gate.get(), gate_paused{is});
  log(severity::warning, is ? "membership.suspended" : "membership.resumed",
      is ? "the lease is over: nothing is committed until the store answers" : "");
}

void membership_actor::stop(std::string_view why) { node_->stop_node(why); }

void membership_actor::expelled() {
  log(severity::warning, "membership.expelled",
      "the others have given this node up: it joins again");
  if (!leaving_ && node_->join_again) return node_->join_again();
  quit();
}

}  // namespace baraza::cluster
