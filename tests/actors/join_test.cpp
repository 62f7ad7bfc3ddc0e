// Moves that come while another's commit waits: they go with it, or change nothing.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "players.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

/// Both send before either's commit has left.
struct moves {
  std::uint64_t first = 0, second = 0;
};
moves send_both(world& w, duel& d, std::string one, std::string two) {
  const auto send = [&](int seat, std::string action) {
    return w.send(d.table(), table_act{d.seat(seat).key, ++d.seat(seat).counter, std::move(action)},
                  static_cast<std::uint64_t>(seat) + 1);
  };
  moves sent;
  sent.first = send(0, std::move(one));
  sent.second = send(1, std::move(two));
  return sent;
}

std::size_t pushes_of_events(const world& w) {
  return static_cast<std::size_t>(std::ranges::count_if(
      w.pushes, [](const auto& one) { return std::holds_alternative<table_events>(one); }));
}

/// A commit waits 50 ms before it leaves, and messages take no time.
void let_wait(world& w) {
  w.fault.delay_max = 0;
  w.hold_commit = [](const entity_id& who) { return who.kind == entity_kind::table ? 50 : 0; };
}

}  // namespace

TEST_CASE("a move that comes while the other's waits goes with it, and both are answered",
          "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  let_wait(w);
  const auto commits = w.commits, pushes = pushes_of_events(w);
  const auto before = w.store.journals[d.table()].size();
  const auto sent = send_both(w, d, "p", "p");
  CHECK(w.answers(sent.first).empty());
  w.run_for(200);
  CHECK(w.commits == commits + 1);
  CHECK(w.joins == 1);
  CHECK(w.store.journals[d.table()].size() == before + 2);
  CHECK(pushes_of_events(w) == pushes + 1);
  REQUIRE(is_accepted(w.answer_of(sent.first)));
  REQUIRE(is_accepted(w.answer_of(sent.second)));
  const auto& told = std::get<table_events>(w.pushes.back());
  CHECK(told.prev == before);
  CHECK(told.seq == before + 2);
  REQUIRE(told.causes.size() == 2);
  CHECK(told.causes[0].request == sent.first);
  CHECK(told.causes[1].request == sent.second);
}

TEST_CASE("what would be refused is not told before the commit it came behind", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  let_wait(w);
  const auto wrong = send_both(w, d, "p", "u");  // no such letter
  w.run_for(20);
  CHECK(w.answers(wrong.second).empty());
  w.run_for(200);
  CHECK(is_accepted(w.answer_of(wrong.first)));
  CHECK(code_of(w.answer_of(wrong.second)) == "bad_command");
  // "w" ends the match: the other's move is refused, but only when the end is durable.
  const auto sent = send_both(w, d, "w", "p");
  w.run_for(20);
  CHECK(w.answers(sent.second).empty());
  w.run_for(200);
  CHECK(w.joins == 0);
  CHECK(is_accepted(w.answer_of(sent.first)));
  CHECK(code_of(w.answer_of(sent.second)) == "match_over");
}

TEST_CASE("a repeat of a move whose commit waits is answered after it, once", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  let_wait(w);
  const auto before = w.store.journals[d.table()].size();
  const table_act move{d.one.key, ++d.one.counter, "p"};
  const auto first = w.send(d.table(), move), again = w.send(d.table(), move);
  w.run_for(20);
  CHECK(w.answers(again).empty());
  w.run_for(200);
  CHECK(w.store.journals[d.table()].size() == before + 1);
  CHECK(std::get<accepted>(w.answer_of(first)).seq == before + 1);
  CHECK(std::get<accepted>(w.answer_of(again)).seq == before + 1);
}

TEST_CASE("a move that ends the match joins with its settlement", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  let_wait(w);
  const auto sent = send_both(w, d, "p", "w");
  w.run_for(200);
  CHECK(w.joins == 1);
  CHECK(is_accepted(w.answer_of(sent.first)));
  CHECK(is_accepted(w.answer_of(sent.second)));
  CHECK(d.phase() == "ended");
  REQUIRE(d.escrow() != nullptr);
  CHECK(d.escrow()->closed);
  CHECK(d.escrow()->balance == 0);
}

TEST_CASE("a joined move that the rules fail at costs the first one nothing", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  let_wait(w);
  (void)send_both(w, d, "p", "z");
  w.run_for(5'000);
  // The first one's commit may have been lost with that life: sent again it is accepted, once.
  const auto again = d.act_as(0, "p", d.one.counter);
  CHECK(is_accepted(again));
  CHECK(code_of(d.act_as(1, "z", d.two.counter)) == "internal");
  CHECK(d.phase() == "playing");
}

TEST_CASE("whatever dies between joined moves, the journal folds and money is conserved",
          "[table][sim]") {
  const auto seed = sim_seed();
  CAPTURE(seed);
  std::size_t joins = 0;
  for (std::uint64_t round = 0; round < 60; ++round) {
    CAPTURE(round);
    world w{seed + round};
    duel d{w};
    d.reach_play();
    w.fault.crash = 0.05;
    w.hold_commit = [&w](const entity_id&) { return static_cast<millis>(w.random() % 10); };
    for (int turn = 0; turn < 80 && !d.is_over(); ++turn) {
      (void)send_both(w, d, turn % 3 == 0 ? "p" : "s", turn % 2 == 0 ? "p" : "s");
      w.run_for(12);
    }
    w.fault.crash = 0;
    REQUIRE(d.play_out());
    w.run_for(2'000);
    REQUIRE(d.escrow() != nullptr);
    REQUIRE(d.escrow()->balance == 0);
    joins += w.joins;
  }
  CHECK(joins > 60);
}
