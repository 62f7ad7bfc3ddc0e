// A member as a whole: what it asks of its port on the days when one class alone sees nothing
// wrong.
#include "cluster/membership/member.hpp"

#include <catch2/catch_test_macros.hpp>
#include <functional>

namespace baraza::cluster {
namespace {

using storage::member_status;
using storage::vote_kind;
using time_point = member::time_point;

/// Writes down what is asked; the store renews each lease at once.
struct recorder final : member_port {
  void renew() override { ++renewals; }
  void read(std::uint64_t) override {}
  void become_up() override { ++became_up; }
  void vote(std::uint64_t accused, vote_kind) override { votes.push_back(accused); }
  void withdraw(std::uint64_t accused) override { withdrawn.push_back(accused); }
  void declare_dead(std::uint64_t, std::span<const std::uint64_t> dead,
                    std::span<const storage::shard_change> changes) override {
    declared.emplace_back(dead.begin(), dead.end());
    changed.assign(changes.begin(), changes.end());
  }
  void coordinate() override {}
  void raise_level(std::uint64_t epoch, std::uint16_t level) override {
    raised.emplace_back(epoch, level);
  }
  void probe(std::uint64_t target, std::uint64_t number) override {
    probes.emplace_back(target, number);
  }
  void ask_helper(const cluster::ask_helper& what) override { asked.push_back(what); }
  void greet(std::uint64_t) override {}
  void ask_hand_off(const cluster::ask_hand_off&) override {}
  void tell_rows(std::span<const storage::shard_row> rows) override {
    told.insert(told.end(), rows.begin(), rows.end());
  }
  void carry_out(const shard_action& what) override {
    if (const auto* take = std::get_if<take_shard>(&what)) taken.push_back(take->shard);
    if (const auto* open = std::get_if<open_gate>(&what)) opened.push_back(open->shard);
  }
  void suspended(bool) override {}
  void stop(std::string_view) override {}

  std::size_t renewals = 0, became_up = 0;
  std::vector<std::uint64_t> votes, withdrawn;
  std::vector<shard_id> taken, opened;
  std::vector<cluster::ask_helper> asked;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> probes;
  std::vector<std::pair<std::uint64_t, std::uint16_t>> raised;
  std::vector<std::vector<std::uint64_t>> declared;
  std::vector<storage::shard_change> changed;
  std::vector<storage::shard_row> told;
};

/// Member 9 of a store whose rows a test writes; it reads them twice a second.
struct scene {
  scene() { state.shards = {{.id = 0, .owner = 1, .epoch = 4}, {.id = 1, .owner = 2, .epoch = 7}}; }
  void add(std::uint64_t id, member_status status) {
    state.members.push_back({.incarnation = id, .status = status});
    renewed(id);
  }
  void renewed(std::uint64_t id, millis ago = 0) {
    for (auto& m : state.members)
      if (m.incarnation == id)
        m.renewed_at = store_now() - ago, m.lease_until = m.renewed_at + lease_length.count();
  }
  [[nodiscard]] millis store_now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  }
  /// `living` go on renewing, and answer probes.
  void run_for(std::chrono::milliseconds length, const std::vector<std::uint64_t>& living = {}) {
    for (const auto until = now + length; now < until; now += 50ms) {
      self.tick(now);
      if (std::exchange(port.renewals, 0) > 0) self.renewed(1, {.now = store_now()}, now);
      renewed(9);
      for (const auto id : living) renewed(id);
      for (const auto& [target, number] : std::exchange(port.probes, {}))
        if (std::ranges::find(living, target) != living.end())
          self.answered(target, number, false, now);
      if (store_now() % 500 == 0) look();
    }
  }
  void look() {
    state.now = store_now();
    self.state(state, now);
  }

  time_point now{1h};
  storage::cluster_state state{.version = 1};
  recorder port;
  member self{9, 2, {}, port, now};
};

}  // namespace

TEST_CASE("a newcomer ends the dead when all who were up are past their leases") {
  scene s;
  s.add(1, member_status::up);
  s.add(2, member_status::draining);
  s.add(9, member_status::joining);
  SECTION("nobody else could: their shards are free for those who come up") {
    s.run_for(20s);
    REQUIRE_FALSE(s.port.declared.empty());
    CHECK(s.port.declared[0] == std::vector<std::uint64_t>{1, 2});
    CHECK(s.port.changed == std::vector<storage::shard_change>{{0, 4, 0}, {1, 7, 0}});
  }
  SECTION("not before it may judge: the store was away for all of them") {
    s.run_for(4s, {1, 2});
    s.renewed(1, 6000);
    s.renewed(2, 6000);
    s.run_for(1s);
    CHECK(s.port.declared.empty());
  }
  SECTION("not while one who is up can") {
    s.run_for(20s, {2});
    CHECK(s.port.declared.empty());
  }
}

TEST_CASE("the heirs of the dead are told by the one who declared it, and open at once") {
  scene s;
  s.add(9, member_status::up);
  s.look();
  s.self.buried({{{0, 4, 9}, {1, 7, 3}}}, s.now);
  CHECK(s.port.told == std::vector<storage::shard_row>{{.id = 0, .owner = 9, .epoch = 5},
                                                       {.id = 1, .owner = 3, .epoch = 8}});
  CHECK(s.port.opened == std::vector<shard_id>{0});
  CHECK(s.self.view().at(1).owner == 3);
}

TEST_CASE("a lost link and a refused call make a vote in the same moment, without a tick") {
  scene s;
  for (const std::uint64_t id : {1, 2, 9}) s.add(id, member_status::up);
  s.run_for(1s, {1, 2});
  s.port.probes.clear();
  s.self.link_lost(2, s.now);
  REQUIRE(s.port.probes.size() == 1);
  s.self.unreachable(2, s.port.probes.front().second, s.now);
  REQUIRE(s.port.asked.size() == 1);
  CHECK(s.port.votes.empty());
  s.self.unreachable(2, s.port.asked.front().number, s.now);
  CHECK(s.port.votes == std::vector<std::uint64_t>{2});
}

TEST_CASE("a newcomer casts no vote: the store would refuse it") {
  scene s;
  s.add(1, member_status::up);
  s.add(2, member_status::up);
  s.add(9, member_status::joining);
  s.run_for(20s, {2});
  CHECK(s.port.votes.empty());
  s.state.members.back().status = member_status::up;
  ++s.state.version;
  s.run_for(3s, {2});
  CHECK_FALSE(s.port.votes.empty());
}

TEST_CASE("a vote that was taken back does not count, and is taken back again") {
  scene s;
  for (std::uint64_t id = 1; id <= 3; ++id) s.add(id, member_status::up);
  s.add(9, member_status::up);
  const auto put = [&](std::uint64_t accuser) {
    s.state.votes.push_back({accuser, 2, vote_kind::silent, s.store_now()});
  };
  s.run_for(1s, {1, 2, 3});
  put(1);
  put(9);  // sent before 2 answered, landed after
  s.look();
  CHECK(s.port.declared.empty());
  CHECK(s.port.withdrawn == std::vector<std::uint64_t>{2});
  s.state.votes.pop_back();
  put(3);
  s.look();
  CHECK(s.port.declared.size() == 1);  // two others: their word is as good as ever
}

TEST_CASE("the level is raised by the coordinator alone, once every member can read it") {
  scene s;
  for (const std::uint64_t id : {1, 9}) s.add(id, member_status::up);
  s.add(2, member_status::joining);
  for (auto& m : s.state.members) m.level = 3;
  s.state.coordinator = 9;
  const auto raised = [&](std::uint16_t level) {
    return std::ranges::find(s.port.raised, std::pair{std::uint64_t{5}, level}) !=
           s.port.raised.end();
  };
  SECTION("to the lowest of them, whether they join, are up or drain") {
    s.self.coordinating(5);
    s.state.members[1].level = 2;
    s.state.members[2].status = member_status::joining;
    s.run_for(3s, {1, 2});
    CHECK(raised(2));
    CHECK_FALSE(raised(3));
  }
  SECTION("not while one of them is old") {
    s.self.coordinating(5);
    s.state.members[2].level = 1;
    s.run_for(3s, {1, 2});
    CHECK(s.port.raised.empty());
    s.state.members[2].level = 3;
    ++s.state.version;
    s.run_for(3s, {1, 2});
    CHECK(raised(3));
  }
  SECTION("asked again until it shows, and then no more") {
    s.self.coordinating(5);
    s.run_for(5s, {1, 2});
    CHECK(s.port.raised.size() >= 2);
    CHECK(s.port.raised.size() <= 6);
    s.state.level = 3;
    ++s.state.version;
    s.look();
    s.port.raised.clear();
    s.run_for(3s, {1, 2});
    CHECK(s.port.raised.empty());
  }
  SECTION("not by one who does not coordinate") {
    s.state.coordinator = 1;
    s.run_for(3s, {1, 2});
    CHECK(s.port.raised.empty());
  }
}

TEST_CASE("a draining member takes back what it handed to the dead, unless its process ends") {
  scene s;
  s.add(9, member_status::draining);
  s.state.shards = {{.id = 0, .owner = 0, .epoch = 4, .next_owner = 1},
                    {.id = 1, .owner = 9, .epoch = 7}};
  SECTION("nobody is left who could") {
    s.run_for(1s);
    CHECK(std::ranges::count(s.port.taken, 0u) > 0);
  }
  SECTION("it leaves: it would never get rid of them") {
    s.self.leave();
    s.run_for(1s);
    CHECK(s.port.taken.empty());
  }
  SECTION("another one is up") {
    s.add(2, member_status::up);
    s.run_for(1s, {2});
    CHECK(s.port.taken.empty());
  }
}

}  // namespace baraza::cluster
