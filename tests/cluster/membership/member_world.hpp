// A cluster of leases and failure detectors around one store, on one thread, in virtual time of
// 20 ms a step: one step a message.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cluster/membership/failure_detector.hpp"
#include "cluster/membership/lease_keeper.hpp"
#include "cluster/membership/vote_count.hpp"

namespace baraza::cluster {

class member_world {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr auto step = 20ms;
  struct death {
    std::uint64_t who = 0;
    time_point when;
    cause_of_death why{};
  };

  explicit member_world(std::uint64_t count) {
    for (std::uint64_t id = 1; id <= count; ++id) {
      nodes_[id] = std::make_unique<node>(id, now_);
      members_[id] = {.incarnation = id,
                      .status = storage::member_status::up,
                      .renewed_at = store_now(),
                      .lease_until = store_now() + lease_length.count()};
    }
    run_for(10s);
    REQUIRE(deaths.empty());
  }

  // ---- what a test does to it
  /// Its connections are reset and its address refuses.
  void kill(std::uint64_t who) {
    nodes_.at(who)->running = false;
    for (auto& [id, n] : nodes_) n->detector.link_lost(who, now_);
  }
  void pause(std::uint64_t who, std::chrono::milliseconds length) {
    nodes_.at(who)->paused_until = now_ + length;
  }
  void cut_off_from_peers(std::uint64_t who) { lonely_.insert(who); }
  void cut_off_from_store(std::uint64_t who) { storeless_.insert(who); }
  void reconnect() { lonely_.clear(), storeless_.clear(); }
  /// The store is away; afterwards node i reaches it `stagger` × i later, by a new connection.
  void store_away_for(std::chrono::milliseconds length, std::chrono::milliseconds stagger) {
    for (auto& [id, n] : nodes_) {
      n->store_from = now_ + length + stagger * static_cast<std::int64_t>(id);
      ++n->connection;
    }
  }
  /// It stands still and goes on: connections live, and what was sent is answered at the end.
  void store_stops_for(std::chrono::milliseconds length) { store_stopped_until_ = now_ + length; }
  void store_clock_jumps(std::chrono::milliseconds by) { store_offset_ += by.count(); }
  bool anyone_judges = false;  // the bug: whoever is first after an outage judges all others

  void run_for(std::chrono::milliseconds length) {
    for (const auto until = now_ + length; now_ < until;) {
      now_ += step;
      for (auto& [id, n] : nodes_)
        if (n->running && n->paused_until <= now_) act(*n);
    }
  }

  // ---- what a test sees
  std::vector<death> deaths;
  std::size_t votes_written = 0;
  [[nodiscard]] std::set<std::uint64_t> dead() const {
    std::set<std::uint64_t> who;
    for (const auto& d : deaths) who.insert(d.who);
    return who;
  }
  [[nodiscard]] time_point now() const { return now_; }
  [[nodiscard]] bool runs(std::uint64_t who) const { return nodes_.at(who)->running; }
  [[nodiscard]] bool may_commit(std::uint64_t who) const {
    return nodes_.at(who)->lease.may_commit(now_);
  }

 private:
  struct node {
    node(std::uint64_t self, time_point now) : id{self}, lease{{}, now}, detector{self} {}
    std::uint64_t id;
    lease_keeper lease;
    failure_detector detector;
    bool running = true;
    time_point paused_until{}, store_from{};
    std::uint64_t connection = 1, version = 0;
    std::vector<std::function<void()>> inbox;  // of the next step
  };

  [[nodiscard]] millis store_now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count() +
           store_offset_;
  }
  [[nodiscard]] bool reaches_store(const node& n) const {
    return now_ >= n.store_from && now_ >= store_stopped_until_ && !storeless_.contains(n.id);
  }
  [[nodiscard]] bool answers(const node& from, std::uint64_t to) const {
    const auto& target = *nodes_.at(to);
    return target.running && target.paused_until <= now_ && !lonely_.contains(from.id) &&
           !lonely_.contains(to);
  }
  [[nodiscard]] storage::cluster_state snapshot() const {
    storage::cluster_state state{.version = version_, .now = store_now()};
    for (const auto& [id, m] : members_) state.members.push_back(m);
    for (const auto& [pair, v] : votes_) state.votes.push_back(v);
    return state;
  }

  void act(node& n) {
    for (auto& message : std::exchange(n.inbox, {})) message();
    renew(n);
    if (!n.running) return;
    if (reaches_store(n) && n.version != version_) {
      n.version = version_;
      n.detector.set_members(snapshot().members, now_);
    }
    const bool judges = anyone_judges || n.lease.may_judge(now_);
    for (const auto& action : n.detector.tick(now_, judges)) carry_out(n, action, judges);
  }

  void renew(node& n) {
    if (n.lease.is_due(now_)) {
      n.lease.sent(now_);
      n.inbox.emplace_back([this, &n] { answer_renewal(n); });
    }
  }
  void answer_renewal(node& n) {
    if (now_ < store_stopped_until_)  // no answer yet
      return n.inbox.push_back([this, &n] { answer_renewal(n); });
    if (!reaches_store(n)) return n.lease.failed(now_);
    if (!members_.contains(n.id)) {
      n.lease.found_dead();
      n.running = false;
      return;
    }
    auto& m = members_.at(n.id);
    m.renewed_at = store_now();
    m.lease_until = store_now() + lease_length.count();
    n.lease.renewed(now_, n.connection, store_now());
    declare(n, anyone_judges || n.lease.may_judge(now_));
  }

  void carry_out(node& n, const detector_action& action, bool judges) {
    if (const auto* p = std::get_if<send_probe>(&action)) {
      probe(n, n, p->target, p->number);
    } else if (const auto* h = std::get_if<ask_helper>(&action)) {
      if (answers(n, h->helper)) probe(n, *nodes_.at(h->helper), h->target, h->number);
    } else if (!reaches_store(n) || !members_.contains(n.id)) {
      return;
    } else if (const auto* v = std::get_if<accuse>(&action)) {
      votes_[{n.id, v->target}] = {n.id, v->target, v->kind, store_now()};
      ++votes_written;
      declare(n, judges);
    } else {
      votes_.erase({n.id, std::get<withdraw_vote>(action).target});
    }
  }
  void probe(node& n, const node& through, std::uint64_t target, std::uint64_t number) {
    if (answers(through, target)) {
      const bool suspended = !nodes_.at(target)->lease.may_commit(now_);
      n.inbox.emplace_back([this, &n, target, number, suspended] {
        n.detector.answered(target, number, suspended, now_);
      });
    } else if (!nodes_.at(target)->running && !lonely_.contains(through.id)) {
      n.inbox.emplace_back(
          [this, &n, target, number] { n.detector.unreachable(target, number, now_); });
    }
  }
  void declare(node& n, bool judges) {
    for (const auto& s : count_votes(snapshot(), judges)) {
      if (s.who == n.id) continue;  // others say so: they will see to it
      members_.erase(s.who);
      ++version_;
      deaths.push_back({s.who, now_, s.why});
    }
  }

  time_point now_{1h}, store_stopped_until_{};
  millis store_offset_ = 0;
  std::uint64_t version_ = 1;
  std::map<std::uint64_t, std::unique_ptr<node>> nodes_;
  std::map<std::uint64_t, storage::member> members_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, storage::vote> votes_;
  std::set<std::uint64_t> lonely_, storeless_;
};

}  // namespace baraza::cluster
