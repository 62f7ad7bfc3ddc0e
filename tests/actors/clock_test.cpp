// Rule C: nobody loses his stake because the cluster, the store or the process stood still.
#include <catch2/catch_test_macros.hpp>

#include "actors/table_events.hpp"
#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

TEST_CASE("a cluster that was off forfeits nobody's stake", "[saga][C]") {
  for (const bool fresh_turn : {true, false}) {
    world w;
    duel d{w};
    d.reach_play();
    if (!fresh_turn) w.run_for(secret_turn_ms - 3'000);
    if (!fresh_turn) d.act(0, "p");  // a commit just before the end of the turn
    w.sleep(10 * 60'000);
    w.run_for(3'000);  // the wake-up brings the table back: nobody says a word
    REQUIRE(w.is_live(d.table()));
    const auto view = d.view();
    CHECK(view["phase"].text() == "playing");
    const auto left = view["clock"]["left_ms"].number();
    CHECK(left >= (fresh_turn ? secret_turn_ms - 5'000 : 6'000));
    CHECK(left <= (fresh_turn ? secret_turn_ms : 10'000));
    w.run_for(left + 100);
    CHECK(d.phase() == "ended");  // but the clock does run
  }
}

TEST_CASE("no clock fires before the resumed clock is durable", "[saga][C]") {
  world w;
  duel d{w};
  d.reach_play();
  w.fault.delay_max = 0;
  bool resumed = false;
  w.before_commit = [&](const entity_id& id, const change& what) {
    if (id != d.table()) return storage::errc::none;
    const auto kind = *table_event::kind_of(what.events[0]);
    if (!resumed) CHECK(kind == table_event::kind::clock);
    resumed = true;
    return storage::errc::none;
  };
  w.sleep(60'000);
  d.act(0, "s");
  CHECK(resumed);
  w.before_commit = nullptr;
  CHECK(d.phase() == "playing");
}

TEST_CASE("a store that is away for longer than a turn forfeits nobody's stake", "[saga][C]") {
  // Which commit it holds: the first move of a turn both owe, the move that ends the turn, or the
  // start of the match.
  for (const int held : {0, 1, 2}) {
    CAPTURE(held);
    world w;
    duel d{w};
    const millis away = secret_turn_ms + 5'000;
    const auto hold_one = [&] {
      w.hold_commit = [&](const entity_id& id) -> millis {
        if (id != d.table()) return 0;
        w.hold_commit = nullptr;
        return away;
      };
    };
    if (held == 2) {
      d.reach_buying();
      hold_one();
      w.run_for(1'000);
    } else {
      d.reach_play();
      if (held == 1) REQUIRE(is_accepted(d.act(0, "s")));
      hold_one();
      w.send(d.table(), table_act{d.seat(held).key, 1, "s"});
    }
    w.run_for(away + 500);
    const auto view = d.view();
    REQUIRE(view["phase"].text() == "playing");
    CHECK(view["clock"]["left_ms"].number() >= 9'000);
    w.run_for(9'000);
    CHECK(d.phase() == "playing");
    w.run_for(secret_turn_ms);
    CHECK(d.phase() == "ended");  // but the clock does run
    CHECK(w.store.violation() == "");
  }
}

TEST_CASE("a resumed clock that the store holds is no reason to forfeit either", "[saga][C]") {
  world w;
  duel d{w};
  d.reach_play();
  w.hold_commit = [&](const entity_id& id) -> millis { return id == d.table() ? 15'000 : 0; };
  w.send(d.table(), table_act{d.one.key, 1, "s"});
  w.run_for(31'000);  // the move and the first clock are both in, each too late
  w.hold_commit = nullptr;
  w.run_for(16'000);
  CHECK(d.phase() == "playing");
  w.run_for(5'000);
  CHECK(d.phase() == "playing");
  w.run_for(secret_turn_ms);
  CHECK(d.phase() == "ended");
}

TEST_CASE("a pause in the middle of a turn starts its clock anew", "[saga][C]") {
  for (const bool one_moved_since : {false, true}) {
    CAPTURE(one_moved_since);
    world w;
    duel d{w};
    d.reach_play();
    w.run_for(secret_turn_ms - 2'000);
    w.reachable_since = w.now();
    if (one_moved_since) REQUIRE(is_accepted(d.act(0, "s")));  // the other one's time still counts
    w.run_for(10'000);
    CHECK(d.phase() == "playing");
    w.run_for(secret_turn_ms);
    CHECK(d.phase() == "ended");
  }
}

TEST_CASE("a store that is slow keeps no player from moving", "[saga][C]") {
  world w;
  duel d{w};
  d.reach_play();
  w.fault.delay_max = 0;  // the moves arrive in order
  w.hold_commit = [&](const entity_id& id) -> millis { return id == d.table() ? 2'000 : 0; };
  for (int turn = 0; turn < 3; ++turn)
    for (int seat = 0; seat < 2; ++seat)
      w.send(d.table(), table_act{d.seat(seat).key, static_cast<std::uint64_t>(turn + 1), "s"});
  w.run_for(40'000);
  CHECK(d.phase() == "ended");
  CHECK(d.view()["result"]["reason"].text() != "forfeit");
}
