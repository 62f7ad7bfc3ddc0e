// "All or nobody": what a crash, a lost message or a late answer may do to a match and its money,
// at every step.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "actors/table_events.hpp"
#include "actors/table_void.hpp"
#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

/// No money made or lost, the escrow closed, each player with what the match says, nobody
/// forfeited.
void check_end(duel& d, const char* phase_wanted = nullptr) {
  auto& w = d.w;
  w.fault = {};
  const auto view = d.view();
  CAPTURE(w.last_crash, w.now());
  REQUIRE(w.store.violation() == "");
  REQUIRE(d.is_over());
  CHECK(w.store.wakes.empty());
  const auto phase = view["phase"].text();
  if (phase_wanted) CHECK(phase == phase_wanted);
  const auto& result = view["result"];
  std::int64_t shared = result["rake"].number();
  for (int i = 0; i < 2; ++i) {
    const auto came_back = phase == "ended"    ? result["payouts"][i].number()
                           : phase == "voided" ? result["refunds"][i].number()
                                               : 0;
    const bool staked = phase == "ended" || came_back != 0;
    shared += came_back;
    CHECK(w.money(d.seat(i).key) == 100'000 - (staked ? d.terms.stake : 0) + came_back);
  }
  if (phase == "ended") {
    CHECK(shared == 2 * d.terms.stake);
    CHECK(result["reason"].text() != "forfeit");
  }
}

void play_with_death_at(std::size_t step, std::uint64_t seed, bool whole_node, std::size_t* steps) {
  CAPTURE(step, seed, whole_node);
  world w{seed};
  duel d{w};
  w.table_options.rake_bp = 250;
  std::size_t at = 0;
  w.after_step = [&](const entity_id& id) {
    if (++at != step) return;
    whole_node ? w.later(0, [&w] { w.crash_node(); }) : w.later(0, [&w, id] { w.crash(id); });
  };
  w.crash_at_step = whole_node ? 0 : step;
  d.w.send(d.table(), d.terms);
  w.run_for(50);
  for (int i = 0; i < 20 && w.store.journals[d.table()].empty(); ++i) d.create();
  REQUIRE(d.play_out());
  if (steps) *steps = w.steps;
  check_end(d, "ended");
}

}  // namespace

TEST_CASE("a match survives the death of an entity after each of its steps", "[saga][D1]") {
  std::size_t steps = 0;
  play_with_death_at(0, 11, false, &steps);
  REQUIRE(steps > 40);
  for (std::size_t step = 1; step <= steps; ++step) play_with_death_at(step, 11, false, nullptr);
}

TEST_CASE("a match survives the death of the node after each step", "[saga][D1]") {
  std::size_t steps = 0;
  play_with_death_at(0, 12, true, &steps);
  for (std::size_t step = 1; step <= steps; ++step) play_with_death_at(step, 12, true, nullptr);
}

TEST_CASE("random play with crashes, lost, doubled and late messages conserves the money",
          "[saga]") {
  const auto first = sim_seed();
  for (std::uint64_t i = 0; i < 150; ++i) {
    const auto seed = first + i;
    CAPTURE(seed);
    world w{seed};
    duel d{w, i % 2 == 0 ? "secret" : "draw", 1 + static_cast<std::int64_t>(seed % 5'000)};
    w.table_options.rake_bp = static_cast<std::uint32_t>(seed % 1'000);
    w.table_options.ready_timeout_ms = w.table_options.open_timeout_ms =
        120'000;  // the players are slowed, not late
    w.table_options.buy_in_timeout_ms = 120'000;
    w.fault = {0.15, 0.15, 40, 0.02};
    w.after_step = [&](const entity_id&) { REQUIRE(w.store.violation() == ""); };
    for (int tries = 0; tries < 20 && w.store.journals[d.table()].empty(); ++tries) {
      w.send(d.table(), d.terms);
      w.run_for(300);
    }
    REQUIRE(d.play_out(3'600'000));
    w.after_step = nullptr;
    check_end(d, "ended");
  }
}

TEST_CASE("one who cannot pay: the match is void and the other has his stake back", "[saga][D2]") {
  world w;
  duel d{w, "secret", 60'000};
  duel other{w, "secret", 60'000};
  other.two = d.two;
  other.terms.seats[1].player = d.two.key;
  d.reach_play();  // now the second player has 40,000 left
  other.reach_buying();
  w.run_for(3'000);
  const auto view = other.view();
  CHECK(view["phase"].text() == "voided");
  CHECK(view["result"]["reason"].text() == "insufficient_funds");
  CHECK(view["result"]["who"][0].number() == 1);
  CHECK(w.money(other.one.key) == 100'000);
  CHECK(w.money(d.two.key) == 40'000);
  CHECK(other.escrow()->closed);
  CHECK(w.store.violation() == "");
}

TEST_CASE("a stake that comes after the void is refused, and nothing is taken", "[saga][D1]") {
  world w;
  duel d{w};
  wallet_buy_in late;
  w.lose_message = [&](const entity_id& to, const request& what) {
    const auto* stake = std::get_if<wallet_buy_in>(&what);
    if (stake == nullptr || to != wallet_of(d.two)) return false;
    late = *stake;
    return true;
  };
  d.reach_buying();
  w.run_for(w.table_options.buy_in_timeout_ms + 1'000);
  CHECK(d.phase() == "voided");
  CHECK(d.view()["result"]["reason"].text() == "buy_in_timeout");
  CHECK(w.money(d.one.key) == 100'000);
  w.lose_message = nullptr;
  w.ask(wallet_of(d.two), wallet_get{});
  const auto number = w.send_inside(wallet_of(d.two), late);
  w.run_for(500);
  CHECK(code_of(w.answer_of(1'000'000 + number)) == "match_closed");
  CHECK(w.money(d.two.key) == 100'000);
  CHECK(w.store.violation() == "");
}

TEST_CASE("a stake that landed but was never confirmed is found in the store and given back",
          "[saga][D1]") {
  world w;
  duel d{w};
  w.lose_answer = [](const answer& what) { return std::holds_alternative<bought_in>(what); };
  d.reach_buying();
  w.run_for(2'000);
  CHECK(d.escrow()->balance == 1'000);  // both are in, and the table knows of none
  w.run_for(w.table_options.buy_in_timeout_ms);
  CHECK(d.phase() == "voided");
  check_end(d, "voided");
  CHECK(w.money(d.one.key) == 100'000);
  for (const auto* seat : {"buy_in/0", "buy_in/1"})  // refunds are named after what they give back
    CHECK(w.store.transfers.contains(uuid::v8(uuid::v8(d.match, seat), "refund")));
}

TEST_CASE("a table that comes back asks for the stakes again under the same ids", "[saga][D1]") {
  world w;
  duel d{w};
  w.lose_answer = [](const answer& what) { return std::holds_alternative<bought_in>(what); };
  d.reach_buying();
  w.run_for(2'000);
  w.lose_answer = nullptr;
  w.crash(d.table());
  w.run_for(2'000);
  CHECK(d.phase() == "playing");
  CHECK(w.money(d.one.key) == 99'500);
  CHECK(w.money(d.two.key) == 99'500);
}

TEST_CASE("a settlement that the store refuses is made again after the restart", "[saga]") {
  world w;
  duel d{w};
  d.reach_play();
  bool refused_once = false;
  w.before_commit = [&](const entity_id& id, const change& what) {
    if (id != d.table() || what.closes.empty() || refused_once) return storage::errc::none;
    refused_once = true;
    return storage::errc::transfer_conflict;
  };
  const auto number = w.send(d.table(), table_act{d.one.key, 1, "w"});
  w.run_for(1'000);
  CHECK(w.answers(number).empty());  // unknown to the player, so he asks again
  CHECK(d.phase() == "playing");
  CHECK(is_accepted(d.act_as(0, "w", 1)));
  check_end(d, "ended");
}

TEST_CASE("a match that cannot be folded is void, its stakes go back, its neighbour plays on",
          "[saga][D2]") {
  world w;
  duel d{w}, neighbour{w};
  d.reach_play();
  neighbour.reach_play();
  // The rules say that they cannot, or fail at it.
  REQUIRE(is_accepted(d.act(0, GENERATE("x", "y"))));
  set_refolding(true);
  w.crash(d.table());
  w.run_for(100);
  set_refolding(false);
  CHECK(w.voids == 1);
  const auto view = d.view(d.one.key);
  CHECK(view["phase"].text() == "voided");
  CHECK(view["result"]["refunds"][0].number() == 500);
  CHECK(view["result"]["server_seed"].text().size() == 32);
  CHECK(w.money(d.one.key) == 100'000);
  CHECK(w.money(d.two.key) == 100'000);
  CHECK(d.escrow()->closed);
  CHECK(w.store.violation() == "");
  CHECK(neighbour.phase() == "playing");
  CHECK(code_of(d.act(0, "w")) == "match_over");
}

TEST_CASE("a void is made once, and never after the settlement", "[saga][D2]") {
  world w;
  duel d{w};
  d.reach_play();
  const auto plan = [&] {
    return plan_void(d.table(), w.store.journals[d.table()].size(), w.store.journals[d.table()],
                     w.store.transfers_of(storage::escrow_account(d.match, d.terms.money), d.match),
                     "by hand \xFF", &w.table_options.cluster_key, w.now());
  };
  const auto head = w.store.journals[d.table()].size();
  w.crash_node();
  const auto first = plan(), second = plan();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(w.store.apply(d.table(), head, first->what, w.now()).code == storage::errc::none);
  CHECK(w.store.apply(d.table(), head, second->what, w.now()).code == storage::errc::seq_conflict);
  CHECK_FALSE(plan());
  CHECK(w.money(d.one.key) == 100'000);
  CHECK(d.phase() == "voided");

  duel settled{w};
  settled.reach_play();
  settled.act(0, "w");
  CHECK_FALSE(plan_void(
      settled.table(), w.store.journals[settled.table()].size(), w.store.journals[settled.table()],
      w.store.transfers_of(storage::escrow_account(settled.match, settled.terms.money),
                           settled.match),
      "late", &w.table_options.cluster_key, w.now()));
  CHECK(w.store.violation() == "");
}

TEST_CASE("a void reads what it can: even a journal of rubbish gives the stakes back",
          "[saga][D2]") {
  world w;
  duel d{w};
  d.reach_play();
  w.crash_node();
  auto journal = w.store.journals[d.table()];
  for (std::size_t broken = 0; broken < journal.size(); ++broken) {
    CAPTURE(broken);
    auto damaged = journal;
    damaged[broken].payload = "\xC1 rubbish";
    const auto escrow = storage::escrow_account(d.match, d.terms.money);
    const auto plan = plan_void(d.table(), damaged.size(), damaged,
                                w.store.transfers_of(escrow, d.match), "damaged", nullptr, w.now());
    REQUIRE(plan);
    auto copy = w.store;
    REQUIRE(copy.apply(d.table(), damaged.size(), plan->what, w.now()).code == storage::errc::none);
    CHECK(copy.find(escrow)->closed);
    CHECK(copy.balance(storage::player_account(d.one.key, d.terms.money)) == 100'000);
    CHECK(copy.violation() == "");
  }
}

TEST_CASE("a void looks for the stakes in the currency of the match", "[saga][D2]") {
  world w;
  duel d{w};
  REQUIRE(is_accepted(d.create()));
  const auto match = d.match;
  const auto demo = storage::escrow_account(match, storage::currency::demo);
  const auto kes = storage::escrow_account(match, storage::currency::kes);
  const auto journal_in = [&](storage::currency money) {
    auto journal = w.store.journals[d.table()];
    auto opening = table_event::decode(journal.front().payload);
    std::get<table_event::created>(opening.what).money = money;
    journal.front().payload = table_event::encode(opening.at, opening.what);
    return journal;
  };
  CHECK(escrows_of(match, journal_in(storage::currency::demo)) == std::vector{demo});
  CHECK(escrows_of(match, journal_in(storage::currency::kes)) == std::vector{kes});
  // Nobody can say which: then wherever they are.
  CHECK(escrows_of(match, {}) == std::vector{demo, kes});
  CHECK(escrows_of(match, {{1, 5, "\xC1 rubbish"}}) == std::vector{demo, kes});
  CHECK(escrows_of(match, {{1, 5, table_event::encode(5, table_event::started{})}}) ==
        std::vector{demo, kes});
}

TEST_CASE("a node with another cluster key does not void what it cannot open", "[saga][D7]") {
  world w;
  duel d{w};
  d.reach_play();
  w.crash_node();
  w.table_options.cluster_key.fill(1);
  w.send(d.table(), table_watch{});
  w.run_for(2'000);
  CHECK(w.voids == 0);
  CHECK_FALSE(w.is_live(d.table()));
  w.table_options.cluster_key.fill(0x5A);
  CHECK(d.phase() == "playing");
}

TEST_CASE("a long match comes back from its snapshot with all it remembers", "[saga]") {
  world w;
  duel d{w, "secret", 500, std::string{"\x81\xA5steps\x50"}};
  d.reach_play();
  for (int i = 0; i < 35; ++i)
    for (int seat = 0; seat < 2; ++seat) REQUIRE(is_accepted(d.act(seat, "s")));
  const auto table = d.table();
  REQUIRE(w.store.snapshots.contains(table));
  const auto before = d.view(d.two.key).bytes();
  w.crash_node();
  const auto view = d.view(d.two.key);
  CHECK(view["last_command"].number() == 35);
  CHECK(view["state"].bytes() == look{before}["state"].bytes());
  CHECK(view["seats"].bytes() == look{before}["seats"].bytes());
  CHECK(std::get<accepted>(d.act_as(0, "s", 35)).seq == 4 + 69);
  CHECK(code_of(d.act_as(0, "s", 1)) == "");  // 35 commands a seat: all are remembered
  CHECK(is_accepted(d.act(0, "s")));
  // The snapshot only saves time: without it the journal says the same.
  const auto with = d.view(d.one.key)["state"].bytes();
  w.store.snapshots.clear();
  w.crash_node();
  CHECK(d.view(d.one.key)["state"].bytes() == with);
}

#ifdef BARAZA_TEST_COMMANDS
TEST_CASE("a table told to throw or to fail an assertion comes back, one told not to fold is void",
          "[saga][debug]") {
  world w;
  duel d{w};
  d.reach_play();
  for (const auto how : {debug_fault::how::throws, debug_fault::how::asserts}) {
    w.send(d.table(), debug_fault{how});
    w.run_for(200);
    CHECK(d.phase() == "playing");
  }
  CHECK(w.crashes == 2);
  w.send(d.table(), debug_fault{debug_fault::how::cannot_fold});
  w.run_for(200);
  CHECK(d.phase() == "voided");
  CHECK(w.money(d.one.key) == 100'000);
}
#endif
