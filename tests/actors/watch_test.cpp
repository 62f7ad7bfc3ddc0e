#include <catch2/catch_test_macros.hpp>

#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

const table_events* last_events(const world& w) {
  for (auto at = w.pushes.rbegin(); at != w.pushes.rend(); ++at)
    if (const auto* events = std::get_if<table_events>(&*at)) return events;
  return nullptr;
}

}  // namespace

TEST_CASE("hidden events reach only their seat and still advance everybody's seq", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(d.act(1, "p")));
  const auto* events = last_events(w);
  REQUIRE(events->bodies.size() == 2);
  CHECK(events->prev == 4);
  CHECK(events->seq == 5);
  REQUIRE(events->causes.size() == 1);
  CHECK(events->causes.front().edge == 1);
  for (const auto& variant : events->bodies) {
    const look body{variant.body};
    if (variant.seats == 2) {
      REQUIRE(body.size() == 1);
      CHECK(body[0]["game"]["kind"].text() == "peek");
      CHECK(body[0]["game"]["value"].number() >= 100);
    } else {
      CHECK(variant.seats == (1u | 1u << 31));
      CHECK(body.size() == 0);
    }
  }
  REQUIRE(is_accepted(d.act(0, "2")));  // one hidden, one open
  for (const auto& variant : last_events(w)->bodies)
    CHECK(look{variant.body}.size() == (variant.seats & 1 ? 2u : 1u));
}

TEST_CASE("an event that all may see is packed once", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(d.act(1, "s")));
  REQUIRE(last_events(w)->bodies.size() == 1);
  CHECK(last_events(w)->bodies[0].seats == (3u | 1u << 31));
  const look body{last_events(w)->bodies[0].body};
  CHECK(body[0]["seq"].number() == 5);
  CHECK(body[0]["type"].text() == "game");
  CHECK(body[0]["seat"].number() == 1);
  CHECK(body[0]["command"].number() == 1);
  CHECK(body[0]["clock"]["seats"][0].number() == 0);
  CHECK(body[0]["clock"]["left_ms"].number() > 0);
}

TEST_CASE("a watcher gets what it missed, or a fresh view, never an error", "[table][E1][E3]") {
  world w;
  duel d{w};
  d.reach_play();
  for (int i = 0; i < 2; ++i) REQUIRE(is_accepted(d.act(i, "s")));
  const auto watch = [&](std::uint64_t seq) {
    return std::get<table_view>(w.ask(d.table(), table_watch{d.one.key, seq, 0}));
  };
  CHECK(watch(6).events_only);
  CHECK(look{watch(6).body}.size() == 0);
  CHECK(look{watch(4).body}.size() == 2);
  CHECK(look{watch(4).body}[0]["seq"].number() == 5);
  CHECK(watch(1).events_only);
  CHECK_FALSE(watch(0).events_only);
  CHECK_FALSE(watch(99).events_only);
  CHECK(watch(99).seq == 6);
  w.crash(d.table());
  const auto after = watch(3);  // the window is gone: the view says it all
  CHECK(after.seq >= 6);
  if (!after.events_only) CHECK(look{after.body}["last_command"].number() == 1);
}

TEST_CASE("a renewal is answered only if something is missing", "[table][E1]") {
  world w;
  duel d{w};
  d.reach_play();
  w.send(d.table(), table_renew{4});
  w.run_for(100);
  CHECK(w.pushes_to.empty());
  w.send(d.table(), table_renew{2});
  w.run_for(100);
  REQUIRE(w.pushes_to.size() == 1);
  const auto& missed = std::get<table_events>(w.pushes_to[0].second);
  CHECK(missed.prev == 2);
  CHECK(missed.seq == 4);
  CHECK(look{missed.bodies[0].body}.size() == 2);
  w.send(d.table(), table_renew{77});
  w.run_for(100);
  CHECK(std::holds_alternative<table_restarted>(w.pushes_to.at(1).second));
}
