#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <limits>

#include "actors/limits.hpp"
#include "actors/table_events.hpp"
#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

std::int64_t rake_of(const world& w) {
  return w.store.balance(
      storage::system_account(storage::account_kind::rake, storage::currency::demo, 0));
}

std::vector<table_event::kind> kinds(const world& w, const entity_id& table) {
  std::vector<table_event::kind> out;
  for (const auto& event : w.store.journals.at(table))
    out.push_back(*table_event::kind_of(event.payload));
  return out;
}

bool contains(const std::string& where, std::string_view what) {
  return where.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a match is played from its creation to its settlement", "[table]") {
  world w;
  duel d{w};
  w.table_options.rake_bp = 500;
  REQUIRE(is_accepted(d.create()));
  REQUIRE(d.phase() == "ready");
  d.reach_play();
  CHECK(w.money(d.one.key) == 100'000 - 500);
  CHECK(w.money(d.two.key) == 100'000 - 500);
  CHECK(d.escrow()->balance == 1'000);
  REQUIRE(is_accepted(d.act(0, "w")));
  REQUIRE(d.phase() == "ended");
  CHECK(d.escrow()->closed);
  CHECK(w.money(d.one.key) == 100'000 - 500 + 950);
  CHECK(w.money(d.two.key) == 100'000 - 500);
  CHECK(rake_of(w) == 50);
  CHECK(w.store.violation() == "");
  CHECK(w.store.wakes.empty());
  w.run_for(1'000);  // the hint reaches the wallet
  const auto wallet = w.ask(wallet_of(d.one), wallet_get{});
  CHECK(std::get<wallet_state>(wallet).balance == 100'450);
  using enum table_event::kind;
  CHECK(kinds(w, d.table()) == std::vector{created, hashes, locked, started, game, ended});
}

TEST_CASE("the draw game is played to its end by its own bots", "[table]") {
  world w{7};
  duel d{w, "draw"};
  REQUIRE(is_accepted(d.create()));
  REQUIRE(d.play_out());
  CHECK(d.phase() == "ended");
  CHECK(w.money(d.one.key) + w.money(d.two.key) == 200'000);
  CHECK(w.store.violation() == "");
}

TEST_CASE("a tie gives every stake back and takes no rake", "[table]") {
  world w;
  duel d{w};
  w.table_options.rake_bp = 1'000;
  d.create();
  d.reach_play();
  REQUIRE(is_accepted(d.act(1, "d")));
  CHECK(w.money(d.one.key) == 100'000);
  CHECK(w.money(d.two.key) == 100'000);
  CHECK(rake_of(w) == 0);
}

TEST_CASE("the last game event, its payouts and the end are one commit", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  std::size_t seen = 0;
  w.before_commit = [&](const entity_id&, const change& what) {
    ++seen;
    CHECK(what.events.size() == 2);
    CHECK(what.transfers.size() == 1);
    CHECK(what.closes.size() == 1);
    CHECK(what.wake == storage::commit::wake_change::clear);
    return storage::errc::none;
  };
  d.act(0, "w");
  CHECK(seen == 1);
}

TEST_CASE("stakes that are not above zero or above the limit are refused", "[table][limits]") {
  for (const std::int64_t stake :
       {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
        std::numeric_limits<std::int64_t>::max(), stake_minor_max + 1}) {
    world w;
    duel d{w, "secret", stake};
    CAPTURE(stake);
    CHECK(code_of(d.create()) == "bad_stake");
    CHECK(w.store.journals[d.table()].empty());
    CHECK(code_of(w.ask(wallet_of(d.one), wallet_get{})) == "");
    wallet_buy_in ask{d.match, d.match, storage::escrow_account(d.match, d.terms.money), stake,
                      d.terms.money};
    const auto number = w.send_inside(wallet_of(d.one), ask);
    w.run_for(100);
    CHECK(code_of(w.answer_of(1'000'000 + number)) == "bad_stake");
  }
  world w;
  duel d{w, "secret", stake_minor_max};
  w.wallet_options.demo_grant_minor = stake_minor_max;
  CHECK(is_accepted(d.create()));
  d.reach_play();
  REQUIRE(is_accepted(d.act(0, "w")));
  CHECK(w.money(d.one.key) == 2 * stake_minor_max);
}

TEST_CASE("a table is created once, for players who differ, with options the game knows",
          "[table]") {
  world w;
  duel d{w};
  auto twice = d.terms;
  twice.seats[1].player = twice.seats[0].player;
  CHECK(code_of(w.ask(d.table(), twice)) == "bad_seats");
  auto alone = d.terms;
  alone.seats.pop_back();
  CHECK(code_of(w.ask(d.table(), alone)) == "bad_seats");
  auto unreadable = d.terms;
  unreadable.seats[0].display = "\xFF\xFE";
  CHECK(code_of(w.ask(d.table(), unreadable)) == "bad_seats");
  auto odd = d.terms;
  odd.options = "\x81\xA5steps\x00";
  CHECK(code_of(w.ask(d.table(), odd)) == "bad_options");
  auto unknown = d.terms;
  unknown.game = "chess";
  CHECK(code_of(w.ask(d.table(), unknown)) == "unknown_game");
  CHECK(code_of(w.ask(d.table(), table_watch{})) == "unknown_table");
  CHECK(w.store.journals[d.table()].empty());
  REQUIRE(is_accepted(d.create()));
  CHECK(is_accepted(d.create()));
  CHECK(w.store.journals[d.table()].size() == 1);
  auto other = d.terms;
  other.stake = 501;
  CHECK(code_of(w.ask(d.table(), other)) == "exists");
}

TEST_CASE("a match that the store refuses to create is as if never asked for", "[table]") {
  world w;
  duel d{w};
  w.before_commit = [](const entity_id&, const change&) { return storage::errc::no_partition; };
  CHECK(code_of(d.create()) == "no_partition");
  w.before_commit = nullptr;
  CHECK(is_accepted(d.create()));
}

TEST_CASE("somebody who holds no seat may watch and nothing else", "[table]") {
  world w;
  duel d{w};
  const auto stranger = make_player(w.random);
  d.create();
  CHECK(code_of(w.ask(d.table(), table_ready{stranger.key, stranger.hash()})) == "not_seated");
  d.reach_opening();
  CHECK(code_of(w.ask(d.table(), table_open{stranger.key, stranger.seed, stranger.salt})) ==
        "not_seated");
  d.reach_play();
  CHECK(code_of(w.ask(d.table(), table_act{stranger.key, 1, "w"})) == "not_seated");
  CHECK(code_of(w.ask(d.table(), table_concede{stranger.key, 1})) == "not_seated");
  CHECK(d.view(stranger.key)["you"].is_nil());
  CHECK(d.view(stranger.key)["state"]["card"].number() == 0);
  CHECK(d.view(d.one.key)["state"]["card"].number() >= 100);
  CHECK(d.view(d.two.key)["you"].number() == 1);
}

TEST_CASE("seeds: hashes first, then openings that match them, then the lock", "[table][fair]") {
  world w;
  duel d{w};
  d.create();
  CHECK(code_of(d.open(0)) == "too_early");
  CHECK(std::get<accepted>(d.ready(0)).seq == 0);  // volatile: nothing was journalled
  CHECK(w.store.journals[d.table()].size() == 1);
  d.one.seed = "another one";  // nobody has seen the first
  CHECK(is_accepted(d.ready(0)));
  CHECK(std::get<accepted>(d.ready(1)).seq == 2);
  CHECK(std::get<accepted>(d.ready(1)).seq == 2);  // a repeat
  const auto kept = d.two.seed;
  d.two.seed = "changed after the list";
  CHECK(code_of(d.ready(1)) == "too_late");
  CHECK(code_of(d.open(1)) == "bad_opening");
  d.two.seed = std::string(65, 'x');
  CHECK(code_of(d.open(1)) == "bad_opening");
  d.two.seed = "";
  CHECK(code_of(d.open(1)) == "bad_opening");
  d.two.seed = kept;
  ++d.two.salt[3];
  CHECK(code_of(d.open(1)) == "bad_opening");
  --d.two.salt[3];
  CHECK(std::get<accepted>(d.open(1)).seq == 0);
  CHECK(std::get<accepted>(d.open(0)).seq == 3);
  CHECK(std::get<accepted>(d.open(0)).seq == 3);
  CHECK(code_of(w.ask(d.table(), table_open{d.one.key, "no", d.one.salt})) == "too_late");
}

TEST_CASE("no stake is asked for before the lock is in the journal", "[table][D1]") {
  world w;
  duel d{w};
  d.reach_opening();
  bool asked_early = false;
  w.lose_message = [&](const entity_id& to, const request& what) {
    if (to.kind == entity_kind::wallet && std::holds_alternative<wallet_buy_in>(what))
      asked_early = asked_early || w.store.journals[d.table()].size() < 3;
    return false;
  };
  d.open(0);
  w.run_for(5'000);
  CHECK(w.store.journals[d.table()].size() == 2);
  d.open(1);
  REQUIRE(w.run_until([&] { return w.store.journals[d.table()].size() == 4; }, 5'000));
  CHECK_FALSE(asked_early);
}

TEST_CASE("the server seed is shown nowhere before the end, and opens the commitment after it",
          "[table][fair][D7]") {
  world w;
  duel d{w};
  fair::bytes32 seed{};
  const auto os = w.table_options.random_bytes;
  w.table_options.random_bytes = [&](void* out, std::size_t size) {
    os(out, size);
    std::copy_n(static_cast<std::uint8_t*>(out), size, seed.begin());
  };
  d.reach_play();
  const std::string_view raw{reinterpret_cast<const char*>(seed.data()), seed.size()};
  REQUIRE(is_accepted(d.act(0, "s")));
  for (const auto& event : w.store.journals[d.table()]) CHECK_FALSE(contains(event.payload, raw));
  for (const auto& push : w.pushes)
    if (const auto* events = std::get_if<table_events>(&push))
      for (const auto& body : events->bodies) CHECK_FALSE(contains(body.body, raw));
  for (const auto& who : {uuid{}, d.one.key, d.two.key})
    CHECK_FALSE(contains(d.view(who).bytes(), raw));
  const auto commit = d.view()["commit"].text();
  REQUIRE(is_accepted(d.act(0, "w")));
  const auto shown = d.view()["result"]["server_seed"].text();
  CHECK(shown == raw);
  const auto hash = fair::sha256(shown);
  CHECK(commit == std::string_view{reinterpret_cast<const char*>(hash.data()), hash.size()});
}

TEST_CASE("a command is done once, however often and whenever it is sent", "[table][D4]") {
  world w;
  duel d{w};
  d.reach_play();
  const auto first = d.act_as(0, "s", 3);
  CHECK(std::get<accepted>(first).seq == 5);
  const auto journal = w.store.journals[d.table()].size();
  for (const bool restarted : {false, true}) {
    if (restarted) w.crash(d.table());
    CHECK(std::get<accepted>(d.act_as(0, "s", 3)).seq == 5);
    CHECK(std::get<accepted>(d.act_as(0, "w", 3)).seq ==
          5);  // the same counter is the same command
    CHECK(std::get<accepted>(w.ask(d.table(), table_concede{d.one.key, 3})).seq == 5);
    CHECK(code_of(d.act_as(0, "s", 2)) == "stale_command");
    CHECK(code_of(d.act_as(0, "s", 0)) == "stale_command");
  }
  w.run_for(100);
  CHECK(w.store.journals[d.table()].size() == journal + 1);  // the clock
  REQUIRE(is_accepted(d.act_as(1, "w", 9)));
  CHECK(std::get<accepted>(d.act_as(0, "s", 3)).seq == 5);
  w.crash(d.table());
  CHECK(std::get<accepted>(d.act_as(0, "s", 3)).seq == 5);
  CHECK(code_of(d.act_as(0, "s", 4)) == "match_over");
}

TEST_CASE("a refusal is not remembered", "[table][D4]") {
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(d.act_as(0, "s", 1)));
  CHECK(code_of(d.act_as(0, "s", 2)) == "not_your_turn");
  REQUIRE(is_accepted(d.act_as(1, "s", 1)));
  CHECK(is_accepted(d.act_as(0, "s", 2)));
}

TEST_CASE("a command whose rules throw is refused and the match goes on", "[table][D3]") {
  world w;
  duel d{w};
  d.reach_play();
  CHECK(code_of(d.act_as(0, "t", 1)) == "internal");
  CHECK(code_of(d.act_as(0, "s", 1)) == "internal");  // remembered: the same command
  CHECK(code_of(d.act_as(0, "e", 2)) == "internal");  // no events is as wrong
  CHECK(w.crashes == 0);
  CHECK(is_accepted(d.act_as(0, "s", 3)));
  CHECK(is_accepted(d.act_as(1, "s", 1)));
}

TEST_CASE("a command that fails after it was accepted is forgotten by the match, not by its table",
          "[table][D3]") {
  const std::string letter = GENERATE("z", "v", "r", "q");
  CAPTURE(letter);
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(d.act_as(1, "s", 1)));
  const auto head = w.store.read(d.table()).head;
  w.run_for(secret_turn_ms - 2'000);
  w.send(d.table(), table_act{d.one.key, 7, letter});
  w.run_for(100);
  CHECK(w.crashes == 1);
  CHECK(w.store.read(d.table()).head == head);           // neither it nor a new clock
  CHECK(code_of(d.act_as(0, letter, 7)) == "internal");  // its repeat finds nobody to fail with
  CHECK(code_of(d.act_as(0, "s", 7)) == "internal");
  CHECK(w.crashes == 1);
  SECTION("the others play on") { CHECK(is_accepted(d.act_as(0, "s", 8))); }
  SECTION("it buys no time") {
    w.run_for(1'500);
    CHECK(d.phase() == "playing");
    w.run_for(1'000);
    CHECK(d.phase() == "ended");
    CHECK(w.money(d.two.key) == 100'500);
  }
  CHECK(w.store.violation() == "");
}

TEST_CASE("who concedes loses", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(w.ask(d.table(), table_concede{d.one.key, 1})));
  CHECK(d.view()["result"]["reason"].text() == "forfeit");
  CHECK(w.money(d.two.key) == 100'500);
}

TEST_CASE("the clock of a turn runs out for those who are awaited", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  REQUIRE(is_accepted(d.act(1, "s")));
  w.run_for(secret_turn_ms - 1'000);
  CHECK(d.phase() == "playing");
  w.run_for(1'100);
  CHECK(d.phase() == "ended");
  CHECK(w.money(d.two.key) == 100'500);
  CHECK(w.store.violation() == "");
}

TEST_CASE("a command gives the next turn its full time", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  w.run_for(secret_turn_ms - 1'000);
  d.act(0, "s");
  d.act(1, "s");
  w.run_for(secret_turn_ms - 1'000);
  CHECK(d.phase() == "playing");
  w.run_for(2'000);
  CHECK(d.phase() == "ended");
}

TEST_CASE("a match whose players do not get ready ends with nothing taken", "[table]") {
  world w;
  duel d{w};
  d.create();
  d.ready(1);
  w.run_for(w.table_options.ready_timeout_ms + 100);
  const auto view = d.view();
  CHECK(view["phase"].text() == "aborted");
  CHECK(view["result"]["reason"].text() == "not_ready");
  REQUIRE(view["result"]["who"].size() == 1);
  CHECK(view["result"]["who"][0].number() == 0);
  CHECK(d.escrow()->closed);
  CHECK(w.store.wakes.empty());
  CHECK(w.store.transfers.empty());
  CHECK(code_of(d.ready(0)) == "too_late");
  CHECK(code_of(d.act(0, "s")) == "match_over");
}

TEST_CASE("who does not open in time is named, and nothing was taken", "[table][fair]") {
  world w;
  duel d{w};
  d.reach_opening();
  d.open(0);
  w.run_for(w.table_options.open_timeout_ms + 100);
  const auto view = d.view();
  CHECK(view["phase"].text() == "aborted");
  CHECK(view["result"]["reason"].text() == "not_opened");
  CHECK(view["result"]["who"][0].number() == 1);
  CHECK(w.store.transfers.empty());
}

TEST_CASE("commands before the start are refused", "[table]") {
  world w;
  duel d{w};
  d.create();
  CHECK(code_of(d.act(0, "s")) == "not_started");
  d.reach_opening();
  CHECK(code_of(d.act(0, "s")) == "not_started");
}

TEST_CASE("a table at its end lets itself be put away and shows the end when woken", "[table]") {
  world w;
  duel d{w};
  d.reach_play();
  d.act(0, "w");
  w.crash_node();
  const auto view = d.view(d.two.key);
  CHECK(view["phase"].text() == "ended");
  CHECK(view["result"]["payouts"][0].number() == 1'000);
  CHECK(view["state"]["card"].number() >= 100);
}
