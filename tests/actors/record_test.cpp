#include <catch2/catch_test_macros.hpp>

#include "actors/games/proof.hpp"
#include "actors/match_record.hpp"
#include "actors/table_events.hpp"
#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

TEST_CASE("the record of a match tells what spectators saw, and the rest after the end",
          "[record]") {
  world w;
  duel d{w};
  d.reach_play();
  d.act(0, "p");
  d.act(0, "s");
  const auto& journal = w.store.journals[d.table()];
  const look running{*public_record(d.match, journal, &find_secret)};
  CHECK(running["match"].text() == d.match.to_string());
  CHECK(running["table"]["phase"].text() == "playing");
  CHECK(running["events"].size() == 4);  // what needs the seed is left out
  CHECK(running["ended_at"].is_nil());
  d.act(1, "w");
  const look over{*public_record(d.match, journal, &find_secret)};
  CHECK(over["table"]["phase"].text() == "ended");
  CHECK(over["table"]["result"]["server_seed"].text().size() == 32);
  CHECK(over["events"].size() == 7);  // but the peek stays its seat's own
  CHECK(over["ended_at"].number() >= over["started_at"].number());
  CHECK_FALSE(public_record(d.match, {}, &find_secret));
}

TEST_CASE("a played match has a proof that verifies, and no other has one", "[record][fair]") {
  world w{5};
  duel d{w, "draw"};
  w.table_options.rake_bp = 500;
  d.reach_play();
  CHECK_FALSE(proof_of(d.match, w.store.journals[d.table()]));
  REQUIRE(d.play_out());
  const auto proof = proof_of(d.match, w.store.journals[d.table()]);
  REQUIRE(proof);
  const auto steps = games::verify_proof(*proof);
  for (const auto& step : steps) {
    CAPTURE(step.name, step.why);
    CHECK(step.ok);
  }
  CHECK(games::is_verified(steps));

  duel never{w, "draw"};
  never.create();
  w.run_for(w.table_options.ready_timeout_ms + 100);
  CHECK(never.phase() == "aborted");
  CHECK_FALSE(proof_of(never.match, w.store.journals[never.table()]));
}

TEST_CASE("a proof verifies after restarts in the middle of the match", "[record][fair]") {
  world w{6};
  duel d{w, "draw"};
  w.fault.crash = 0.05;
  for (int i = 0; i < 10 && !is_accepted(d.create()); ++i) w.run_for(100);
  REQUIRE(d.play_out());
  w.fault.crash = 0;
  const auto proof = proof_of(d.match, w.store.journals[d.table()]);
  REQUIRE(proof);
  CHECK(games::is_verified(games::verify_proof(*proof)));
}

TEST_CASE("a replay shows each event and state and compares the outcome to the cent", "[record]") {
  world w;
  duel d{w, "draw"};
  d.reach_play();
  const auto& key = w.table_options.cluster_key;
  auto half = replay(d.match, w.store.journals[d.table()], &key);
  CHECK(half.folds);
  CHECK(half.lines.size() == 4);
  REQUIRE(d.play_out());
  auto journal = w.store.journals[d.table()];
  const auto whole = replay(d.match, journal, nullptr);
  CHECK(whole.folds);
  CHECK(whole.equal);
  CHECK(whole.lines.size() > journal.size());
  CHECK(whole.lines[0].find("created") != std::string::npos);
  CHECK(whole.lines[4].find("drawn") != std::string::npos);

  auto forged = journal;
  auto end = table_event::decode(forged.back().payload);
  auto& stated = std::get<table_event::ended>(end.what);
  ++stated.payouts[0];
  --stated.payouts[1];
  forged.back().payload = table_event::encode(end.at, stated);
  const auto caught = replay(d.match, forged, nullptr);
  CHECK(caught.folds);
  CHECK_FALSE(caught.equal);

  journal[4].payload = "rubbish";
  const auto broken = replay(d.match, journal, nullptr);
  CHECK_FALSE(broken.folds);
  CHECK_FALSE(broken.equal);
  CHECK(broken.verdict.find("event 5") != std::string::npos);
}

TEST_CASE("every event is read back as it was written, and rubbish is refused", "[record][codec]") {
  world w;
  duel d{w};
  d.reach_play();
  d.act(0, "w");
  for (const auto& event : w.store.journals[d.table()]) {
    const auto e = table_event::decode(event.payload);
    CHECK(table_event::encode(e.at, e.what) == event.payload);
    for (std::size_t cut = 0; cut < event.payload.size(); ++cut)
      CHECK_THROWS_AS(table_event::decode(std::string_view{event.payload}.substr(0, cut)),
                      games::cannot_fold);
    for (int i = 0; i < 300; ++i) {  // any bytes: a refusal or an event, never a crash
      auto damaged = event.payload;
      damaged[w.random() % damaged.size()] = static_cast<char>(w.random());
      try {
        table_event::decode(damaged);
      } catch (const games::cannot_fold&) {
      }
    }
  }
}
