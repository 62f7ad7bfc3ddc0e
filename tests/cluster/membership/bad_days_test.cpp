// The bad days of a cluster's members: who is declared dead, how soon, and who must not be.
#include <catch2/generators/catch_generators.hpp>

#include "tests/cluster/membership/member_world.hpp"

namespace baraza::cluster {

using set = std::set<std::uint64_t>;

TEST_CASE("a killed node is declared dead within 300 ms") {
  member_world w{3};
  const auto killed = w.now();
  w.kill(2);
  w.run_for(1s);
  REQUIRE(w.dead() == set{2});
  CHECK(w.deaths[0].when - killed <= 300ms);
  CHECK(w.deaths[0].why == cause_of_death::votes);
}

TEST_CASE("twenty of two hundred nodes die at once: all are declared within 1 s, nobody else") {
  member_world w{200};
  set killed;
  for (std::uint64_t id = 5; killed.size() < 20; id += 7) {
    w.kill(id);
    killed.insert(id);
  }
  const auto then = w.now();
  w.run_for(10s);
  CHECK(w.dead() == killed);
  for (const auto& d : w.deaths) CHECK(d.when - then <= 1s);
  CHECK(w.votes_written <= 20 * 10);  // a few votes a death, not one from every member
}

TEST_CASE("two of three nodes die at once: the third declares both within 3.5 s") {
  member_world w{3};
  const auto killed = w.now();
  w.kill(1);
  w.kill(3);
  w.run_for(5s);
  REQUIRE(w.dead() == set{1, 3});
  for (const auto& d : w.deaths) CHECK(d.when - killed <= 3500ms);
}

TEST_CASE("all die but one of a pair") {
  member_world w{2};
  w.kill(1);
  w.run_for(1s);
  CHECK(w.dead() == set{1});
}

TEST_CASE("a node that cannot reach its peers, but the store, is the one that falls") {
  for (const std::uint64_t count : {3, 5, 20}) {
    CAPTURE(count);
    member_world w{count};
    w.cut_off_from_peers(2);
    const auto then = w.now();
    w.run_for(20s);
    CHECK(w.dead() == set{2});
    CHECK(w.deaths.at(0).when - then < lease_length + 1s);
    CHECK_FALSE(w.runs(2));
  }
}

TEST_CASE("a node that cannot reach the store, but its peers, suspends itself and falls") {
  member_world w{3};
  w.cut_off_from_store(2);
  const auto then = w.now();
  while (w.may_commit(2) && w.now() < then + lease_length) {
    REQUIRE(w.deaths.empty());  // never before it has fallen silent itself
    w.run_for(member_world::step);
  }
  CHECK_FALSE(w.may_commit(2));
  w.run_for(10s);
  CHECK(w.dead() == set{2});
  CHECK(w.deaths.at(0).when - then < lease_length + 1s);
  CHECK(w.runs(2));  // it cannot know yet
  w.reconnect();
  w.run_for(1s);
  CHECK_FALSE(w.runs(2));
}

TEST_CASE("a node cut off from both falls, and exits when it hears of it") {
  member_world w{3};
  w.cut_off_from_peers(2);
  w.cut_off_from_store(2);
  const auto then = w.now();
  w.run_for(10s);
  CHECK(w.dead() == set{2});
  CHECK(w.deaths.at(0).when - then < lease_length + 1s);
  CHECK_FALSE(w.may_commit(2));
  w.reconnect();
  w.run_for(2s);
  CHECK_FALSE(w.runs(2));
}

TEST_CASE("a process stopped for 30 s is declared within lease + 1 s, accuses nobody, and exits") {
  member_world w{3};
  w.pause(2, 30s);
  const auto then = w.now();
  w.run_for(29s);
  REQUIRE(w.dead() == set{2});
  CHECK(w.deaths[0].when - then < lease_length + 1s);
  CHECK_FALSE(w.may_commit(2));
  w.run_for(3s);
  CHECK(w.dead() == set{2});
  CHECK_FALSE(w.runs(2));
}

TEST_CASE("a pause of 1.5 s is nobody's death") {
  member_world w{3};
  w.pause(2, 1500ms);
  w.run_for(20s);
  CHECK(w.deaths.empty());
}

TEST_CASE("a store that was away suspends all and kills nobody") {
  member_world w{5};
  const bool bug = GENERATE(false, true);
  CAPTURE(bug);
  w.anyone_judges = bug;
  SECTION("connections lost, and back one after the other") {
    w.store_away_for(30s, 400ms);
    w.run_for(29s);
    for (std::uint64_t id = 1; id <= 5; ++id) CHECK_FALSE(w.may_commit(id));
  }
  SECTION("it stood still with its connections") {
    w.store_stops_for(12s);
    w.run_for(11s);
    for (std::uint64_t id = 1; id <= 5; ++id) CHECK_FALSE(w.may_commit(id));
  }
  SECTION("its clock jumps") { w.store_clock_jumps(20s); }
  w.run_for(20s);
  CHECK(w.deaths.empty() == !bug);
  if (bug) return;
  for (std::uint64_t id = 1; id <= 5; ++id) CHECK(w.may_commit(id));
}

TEST_CASE("a node that died while the store was away is declared when it is back") {
  member_world w{4};
  w.store_away_for(10s, 50ms);
  w.run_for(5s);
  w.kill(3);
  w.run_for(20s);
  CHECK(w.dead() == set{3});
}

}  // namespace baraza::cluster
