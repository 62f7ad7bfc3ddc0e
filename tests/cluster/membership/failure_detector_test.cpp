#include "cluster/membership/failure_detector.hpp"

#include <algorithm>
#include <set>

namespace baraza::cluster {
namespace {

using time_point = failure_detector::time_point;
using storage::member_status;
using storage::vote_kind;

std::vector<storage::member> members_of(std::uint64_t count) {
  std::vector<storage::member> all;
  for (std::uint64_t i = 1; i <= count; ++i)
    all.push_back({.incarnation = i, .status = member_status::up});
  return all;
}

/// One detector, node 1 of `count`; peers answer or not as the test says.
struct scene {
  time_point now{1h};
  failure_detector detector{1};
  std::set<std::uint64_t> silent, suspended;
  bool refuses = false;      // a dead peer's address refuses at once
  bool helpers_see = false;  // helpers reach the silent ones
  bool may_judge = false;
  std::size_t probes = 0, asked = 0;
  std::vector<accuse> votes;
  std::vector<std::uint64_t> withdrawn;

  explicit scene(std::uint64_t count) { detector.set_members(members_of(count), now); }

  void step() {
    for (const auto& action : detector.tick(now, may_judge)) {
      if (const auto* p = std::get_if<send_probe>(&action)) {
        ++probes;
        if (!silent.contains(p->target))
          detector.answered(p->target, p->number, suspended.contains(p->target), now + 1ms);
        else if (refuses)
          detector.unreachable(p->target, p->number, now + 1ms);
      } else if (const auto* h = std::get_if<ask_helper>(&action)) {
        ++asked;
        REQUIRE(h->helper != h->target);
        if (helpers_see || !silent.contains(h->target))
          detector.answered(h->target, h->number, false, now + 1ms);
        else if (refuses)
          detector.unreachable(h->target, h->number, now + 1ms);
      } else if (const auto* v = std::get_if<accuse>(&action)) {
        votes.push_back(*v);
      } else {
        withdrawn.push_back(std::get<withdraw_vote>(action).target);
      }
    }
  }
  void run_for(std::chrono::milliseconds length) {
    for (const auto until = now + length; now < until;) {
      step();
      now = std::clamp(detector.next_look(), now + 1ms, until);
    }
  }
  [[nodiscard]] std::uint64_t watched() const {
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = 1; i <= 5; ++i) all.push_back(i);
    return ring{all}.after(1, 1).at(0);
  }
};

}  // namespace

TEST_CASE("a newcomer is accused by nobody until it is up") {
  scene s{3};
  auto members = members_of(4);
  members.back().status = storage::member_status::joining;
  s.refuses = true;
  s.silent = {4};
  s.detector.set_members(members, s.now);
  s.run_for(20s);
  CHECK(s.votes.empty());
  members.back().status = storage::member_status::up;
  s.detector.set_members(members, s.now);
  s.run_for(20s);
  REQUIRE_FALSE(s.votes.empty());
  CHECK(s.votes.front().target == 4);
}

TEST_CASE("each member watches the next three of the ring and is watched by three") {
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= 50; ++i) all.push_back(i * 7);
  const ring order{all};
  std::map<std::uint64_t, int> watchers;
  for (const auto who : all) {
    const auto next = order.after(who, 3);
    REQUIRE(next.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      ++watchers[next[i]];
      CHECK(order.rank(who, next[i]) == i);
    }
  }
  for (const auto who : all) CHECK(watchers[who] == 3);
  CHECK(ring{std::vector<std::uint64_t>{4, 9}}.after(4, 3) == std::vector<std::uint64_t>{9});
  CHECK_FALSE(order.rank(7, 8));
}

TEST_CASE("probing costs a node the same, however large the cluster") {
  std::size_t in_small = 0;
  for (const std::uint64_t count : {5, 500}) {
    scene s{count};
    s.run_for(60s);
    CHECK(s.votes.empty());
    if (count == 5) in_small = s.probes;
    CHECK(s.probes == in_small);
  }
  CHECK(in_small <= 3 * 2 * 60 + 3);
}

TEST_CASE("a peer whose link drops and whose address refuses is accused at once") {
  scene s{5};
  s.run_for(5s);
  const auto dead = s.watched();
  s.silent = {dead};
  s.refuses = true;
  s.detector.link_lost(dead, s.now);
  s.run_for(20ms);
  REQUIRE(s.votes == std::vector{accuse{dead, vote_kind::silent}});
  CHECK(s.asked == 2);
  s.run_for(3s);  // the vote is kept fresh until the view drops the accused
  CHECK(s.votes.size() == 4);
}

TEST_CASE("a peer whose link drops and that drops packets is accused within 700 ms") {
  scene s{5};
  s.run_for(5s);
  const auto dead = s.watched();
  s.silent = {dead};
  s.detector.link_lost(dead, s.now);
  s.run_for(700ms);
  CHECK(s.votes.size() == 1);
}

TEST_CASE("a lost link alone accuses nobody") {
  scene s{5};
  s.run_for(5s);
  s.detector.link_lost(s.watched(), s.now);
  s.run_for(10s);
  CHECK(s.votes.empty());
  CHECK(s.asked == 0);
}

TEST_CASE("a silent stall is accused before the lease would notice it, after a helper has tried") {
  scene s{5};
  s.run_for(5s);
  const auto stalled = s.watched();
  s.silent = {stalled};
  const auto began = s.now;
  while (s.votes.empty() && s.now < began + 10s) s.run_for(10ms);
  REQUIRE(s.votes.size() == 1);
  CHECK(s.asked == 2);
  CHECK(s.now - began > 2s);  // a stall of two seconds is nobody's death
  CHECK(s.now - began < lease_length);

  SECTION("and when it answers again, the vote is withdrawn") {
    s.silent.clear();
    s.run_for(2s);
    CHECK(s.withdrawn == std::vector{stalled});
    CHECK(s.votes.size() <= 2);
    const auto so_far = s.votes.size();
    s.run_for(10s);
    CHECK(s.votes.size() == so_far);
  }
}

TEST_CASE("a peer that a helper reaches is not accused") {
  scene s{5};
  s.run_for(5s);
  s.silent = {s.watched()};
  s.helpers_see = true;
  s.run_for(30s);
  CHECK(s.asked > 0);
  CHECK(s.votes.empty());
}

TEST_CASE("of two members, one accuses without a helper") {
  scene s{2};
  s.run_for(5s);
  s.silent = {2};
  s.refuses = true;
  s.detector.link_lost(2, s.now);
  s.run_for(20ms);
  CHECK(s.votes.size() == 1);
  CHECK(s.asked == 0);
}

TEST_CASE("a node that was itself paused accuses nobody of not having answered meanwhile") {
  scene s{5};
  s.run_for(5s);
  // Probes are on their way when the process stops; their answers are lost with its time.
  for (const auto& action : s.detector.tick(s.now += probe_every, false))
    REQUIRE(std::holds_alternative<send_probe>(action));
  s.now += 30s;
  s.run_for(10s);
  CHECK(s.votes.empty());
  CHECK(s.asked == 0);
}

TEST_CASE("a node that was paused while helpers tried for it does not accuse when it wakes") {
  scene s{5};
  s.run_for(5s);
  const auto doubted = s.watched();
  s.silent = {doubted};
  s.detector.link_lost(doubted, s.now);
  while (s.asked == 0) {
    s.step();
    s.now += 50ms;
    REQUIRE(s.probes < 1000);
  }
  REQUIRE(s.votes.empty());
  s.now += 30s;  // the helpers answered long ago, and nobody was there to hear it
  s.silent.clear();
  s.run_for(10s);
  CHECK(s.votes.empty());
}

TEST_CASE("members that do not watch the dead give its watchers a head start") {
  scene s{40};
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 1; i <= 40; ++i) all.push_back(i);
  const ring order{all};
  const auto far = order.after(1, 39).at(10);
  s.silent = {far};
  s.refuses = true;
  s.run_for(1s);
  s.detector.link_lost(far, s.now);
  SECTION("and stay quiet when those succeed") {
    s.run_for(500ms);
    auto rest = members_of(40);
    std::erase_if(rest, [&](const auto& m) { return m.incarnation == far; });
    s.detector.set_members(rest, s.now);
    s.run_for(10s);
    CHECK(s.votes.empty());
  }
  SECTION("and vote when those died too") {
    s.run_for(1s);
    CHECK(s.votes == std::vector{accuse{far, vote_kind::silent}});
  }
}

TEST_CASE("a peer that says it is past its lease is accused of that by one who may judge") {
  scene s{5};
  s.suspended = {s.watched()};
  s.run_for(5s);
  CHECK(s.votes.empty());  // we have just come back to the store ourselves
  s.may_judge = true;
  s.run_for(600ms);
  REQUIRE(s.votes.size() == 1);
  CHECK(s.votes[0] == accuse{s.watched(), vote_kind::store_lost});
  s.run_for(3s);
  CHECK(s.votes.size() <= 5);
  s.suspended.clear();
  s.run_for(1s);
  CHECK(s.withdrawn == std::vector{s.watched()});
}

}  // namespace baraza::cluster
