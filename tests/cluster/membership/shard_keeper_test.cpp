#include "cluster/membership/shard_keeper.hpp"

#include <catch2/generators/catch_generators.hpp>

#include "cluster/membership/gate_shards.hpp"

namespace baraza::cluster {
namespace {

using time_point = shard_keeper::time_point;
using route = shard_keeper::route;
constexpr std::uint64_t me = 1, other = 2;
constexpr shard_id s = 3;

template <class Action>
const Action* only(const shard_keeper::actions& actions) {
  return actions.size() == 1 ? std::get_if<Action>(&actions[0]) : nullptr;
}
storage::shard_row owned(std::uint64_t who, std::uint64_t epoch) { return {s, who, epoch}; }
storage::shard_row free_for(std::uint64_t who, std::uint64_t epoch) { return {s, 0, epoch, who}; }

/// Node 1 with shard 3 open at epoch 5.
struct scene {
  time_point now{1h};
  shard_keeper keeper{me, 8};
  shard_keeper::actions out;

  scene() {
    REQUIRE(only<open_gate>(keeper.row(owned(me, 5), now)));
    REQUIRE(only<serve_shard>(keeper.wakes_loaded(s, 5)));
  }
  void drain(std::uint64_t to = other) { REQUIRE(keeper.hand_off(s, 5, to, 1, now, out)); }
  void flush() { REQUIRE(only<close_gate>(keeper.entities_stopped(s, 5))); }
  void release() { REQUIRE(only<release_shard>(keeper.gate_empty(s, 5, now))); }
};

}  // namespace

TEST_CASE("a planned handoff, owner's side: drain, flush, release, in this order") {
  scene t;
  CHECK(t.keeper.route_of(s) == route::deliver);
  t.drain();
  CHECK(only<stop_entities>(t.out));
  CHECK(t.keeper.route_of(s) == route::moving);
  CHECK(t.keeper.gate_empty(s, 5, t.now).empty());  // not asked yet
  t.flush();
  CHECK(t.keeper.entities_stopped(s, 5).empty());  // told twice
  const auto release = t.keeper.gate_empty(s, 5, t.now);
  REQUIRE(only<release_shard>(release));
  CHECK(only<release_shard>(release)->to == other);
  const auto row = GENERATE(true, false) ? owned(other, 6) : free_for(other, 5);
  const auto done = t.keeper.row(row, t.now);
  REQUIRE(only<announce_row>(done));
  CHECK(only<announce_row>(done)->row == row);
  CHECK(t.keeper.route_of(s) == route::elsewhere);
  CHECK(t.keeper.is_empty());
}

TEST_CASE("a planned handoff, taker's side: given it, it reads the wake rows and serves") {
  scene t;
  shard_keeper taker{other, 8};
  CHECK(only<open_gate>(taker.row(owned(other, 6), t.now))->epoch == 6);
  CHECK(taker.row(owned(other, 6), t.now).empty());  // from the store, too
  CHECK(taker.row(free_for(other, 5), t.now).empty());
  CHECK(only<serve_shard>(taker.wakes_loaded(s, 6)));
}

TEST_CASE("a shard that was free for it is taken, its wake rows read, then served") {
  scene t;
  shard_keeper taker{other, 8};
  REQUIRE(only<take_shard>(taker.row(free_for(other, 5), t.now)));
  CHECK(taker.route_of(s) == route::hold);
  CHECK(taker.row(free_for(other, 5), t.now).empty());  // heard twice, asked once
  const auto taken = taker.row(owned(other, 6), t.now);
  REQUIRE(only<open_gate>(taken));
  CHECK(only<open_gate>(taken)->epoch == 6);
  CHECK(taker.route_of(s) == route::hold);
  CHECK(taker.wakes_loaded(s, 5).empty());  // of another life
  CHECK(only<serve_shard>(taker.wakes_loaded(s, 6)));
  CHECK(taker.route_of(s) == route::deliver);
}

TEST_CASE("a take that failed, or whose answer was lost, is sent again until the row says more") {
  scene t;
  shard_keeper taker{other, 8};
  taker.row(free_for(other, 5), t.now);
  taker.store_failed(s, t.now);
  CHECK(taker.tick(t.now).empty());
  CHECK(taker.next_look() == t.now + release_retry);
  CHECK(only<take_shard>(taker.tick(t.now + release_retry)));
  SECTION("it had landed") { CHECK(only<open_gate>(taker.row(owned(other, 6), t.now))); }
  SECTION("somebody else was faster") {
    CHECK(taker.row(owned(7, 6), t.now).empty());
    CHECK(taker.phase_of(s) == shard_phase::closed);
    CHECK(taker.tick(t.now + 1h).empty());
  }
}

TEST_CASE("after a release was sent, no read brings the shard back in that epoch") {
  scene t;
  t.drain();
  t.flush();
  t.release();
  CHECK(t.keeper.row(owned(me, 5), t.now).empty());  // it may still land
  CHECK(t.keeper.phase_of(s) == shard_phase::releasing);
  t.keeper.store_failed(s, t.now);
  CHECK(only<release_shard>(t.keeper.tick(t.now + release_retry)));
  CHECK_FALSE(t.keeper.call_off(s, 5, 1, t.out));
  t.keeper.row(free_for(other, 5), t.now);
  CHECK(t.keeper.row(owned(me, 5), t.now).empty());  // old news
  CHECK(t.keeper.phase_of(s) == shard_phase::closed);
  SECTION("but the next epoch does") {
    CHECK(t.keeper.row(owned(other, 6), t.now).empty());
    CHECK(only<open_gate>(t.keeper.row(owned(me, 7), t.now)));
  }
}

TEST_CASE("given away and back before its release is answered, a shard opens at the new epoch") {
  scene t;
  t.drain();
  t.flush();
  t.release();
  const auto back = t.keeper.row(owned(me, 7), t.now);
  REQUIRE(only<open_gate>(back));
  CHECK(only<open_gate>(back)->epoch == 7);
  CHECK(t.keeper.row(owned(other, 6), t.now).empty());  // what was announced meanwhile
  CHECK(t.keeper.epoch_of(s) == 7);
}

TEST_CASE("draining past its limit closes the gate all the same, and still waits for the flight") {
  scene t;
  t.drain();
  CHECK(t.keeper.tick(t.now + drain_limit - 1ms).empty());
  const auto late = t.keeper.tick(t.now + drain_limit);
  REQUIRE(late.size() == 2);
  CHECK(std::get<stop_entities>(late[0]).at_once);
  CHECK(std::holds_alternative<close_gate>(late[1]));
  CHECK(t.keeper.tick(t.now + 1h).empty());  // only gate_empty goes on from here
  t.release();
}

TEST_CASE("a shard of ours that the store shows as another's ends the process") {
  scene t;
  SECTION("open") {}
  SECTION("draining") { t.drain(); }
  SECTION("flushing") {
    t.drain();
    t.flush();
  }
  CHECK(t.keeper.row(owned(other, 4), t.now).empty());  // old news
  CHECK(only<stop_node>(t.keeper.row(owned(other, 6), t.now)));
}

TEST_CASE("a coordinator that was replaced is not obeyed") {
  scene t;
  CHECK_FALSE(t.keeper.hand_off(s, 4, other, 7, t.now, t.out));  // another epoch of the shard
  CHECK_FALSE(t.keeper.hand_off(s, 5, other, 6, t.now, t.out));
  CHECK_FALSE(t.keeper.hand_off(s, 5, me, 7, t.now, t.out));
  CHECK(t.out.empty());
  CHECK(t.keeper.hand_off(s, 5, other, 7, t.now, t.out));
  CHECK_FALSE(t.keeper.call_off(s, 5, 6, t.out));
  CHECK(t.keeper.call_off(s, 5, 8, t.out));
  CHECK(t.keeper.route_of(s) == route::deliver);
  CHECK(t.keeper.entities_stopped(s, 5).empty());
}

TEST_CASE("a repeated ask changes the taker as long as nothing was sent to the store") {
  scene t;
  t.drain(other);
  CHECK(t.keeper.hand_off(s, 5, 9, 1, t.now, t.out));
  CHECK(t.out.size() == 1);
  t.flush();
  CHECK(only<release_shard>(t.keeper.gate_empty(s, 5, t.now))->to == 9);
}

TEST_CASE("the gate takes commits of open shards at their epoch alone") {
  using verdict = gate_shards::verdict;
  gate_shards gate{4};
  CHECK(gate.admit(s, 0) == verdict::refuse);
  REQUIRE(gate.open(s, 5));
  CHECK(gate.admit(s, 5) == verdict::take);
  CHECK(gate.admit(s, 4) == verdict::refuse);
  gate.suspend();
  CHECK(gate.admit(s, 5) == verdict::hold);
  CHECK(gate.admit(s, 4) == verdict::refuse);
  gate.resume();
  CHECK(gate.admit(s, 5) == verdict::take);

  SECTION("closed, it waits for every outcome, and says so once") {
    CHECK_FALSE(gate.close(s));
    CHECK(gate.admit(s, 5) == verdict::refuse);
    CHECK_FALSE(gate.settled(s));
    CHECK(gate.dropped(s));
    CHECK_FALSE(gate.open(s, 5));  // its epoch is over
    CHECK(gate.open(s, 7));
  }
  SECTION("it does not open while an earlier commit could still land") {
    gate.close(s);
    CHECK_FALSE(gate.open(s, 7));
  }
  SECTION("empty, it closes at once") {
    gate.settled(s);
    gate.settled(s);
    CHECK(gate.close(s));
    CHECK(gate.on_their_way(s) == 0);
  }
}

}  // namespace baraza::cluster
