#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

struct hall {
  hall() {
    w.table_options.find_game = &find_secret;
    w.lobby_options.find_game = &find_secret;
    canonical = std::get<std::string>(find_secret("secret")->check_options({}));
    id = {entity_kind::lobby, lobby_key("secret", canonical, 500, storage::currency::demo)};
  }
  world w;
  std::string canonical;
  entity_id id;

  lobby_join ticket(std::int32_t rating = 1500) {
    lobby_join t;
    t.ticket = uuid::v4();
    t.player = uuid::v4();
    t.display = "player";
    t.game = "secret";
    t.stake = 500;
    t.rating = rating;
    return t;
  }
  answer join(const lobby_join& t) { return w.ask(id, t); }
  /// The table each player was matched to, in order.
  std::vector<uuid> matched(const uuid& player, std::string_view type = "lobby.matched") {
    std::vector<uuid> out;
    for (const auto& push : w.pushes)
      if (const auto* one = std::get_if<player_push>(&push))
        if (one->player == player && one->type == type) out.push_back(one->table);
    return out;
  }
};

}  // namespace

TEST_CASE("two who want the same are sent to one table that exists", "[lobby]") {
  hall h;
  const auto a = h.ticket(), b = h.ticket();
  CHECK(is_accepted(h.join(a)));
  h.w.run_for(2'000);
  CHECK(h.matched(a.player).empty());
  CHECK(is_accepted(h.join(b)));
  h.w.run_for(1'000);
  REQUIRE(h.matched(a.player).size() == 1);
  REQUIRE(h.matched(b.player) == h.matched(a.player));
  const auto table = table_id(h.matched(a.player)[0]);
  CHECK(h.w.store.journals[table].size() == 1);
  const auto view = h.w.ask(table, table_watch{a.player, 0, 0});
  CHECK(std::get<table_view>(view).seat == 0);  // who waited longer
  const auto& push = *std::ranges::find_if(
      h.w.pushes, [](const auto& p) { return std::holds_alternative<player_push>(p); });
  const auto& fields = std::get<player_push>(push);
  const look body{"\x85" + fields.fields};
  CHECK(fields.count == 5);
  CHECK(body["table"].text() == table.key.to_string());
  CHECK(body["stake"].number() == 500);
  CHECK(body["opponents"][0].text() == "player");
}

TEST_CASE("a ticket entered again changes nothing, a player has one place", "[lobby][E2]") {
  hall h;
  const auto a = h.ticket();
  CHECK(is_accepted(h.join(a)));
  CHECK(is_accepted(h.join(a)));
  auto renewed = a;
  renewed.ticket = uuid::v4();
  CHECK(is_accepted(h.join(renewed)));
  h.w.run_for(3'000);
  CHECK(h.matched(a.player).empty());  // never against himself
  h.w.ask(h.id,
          lobby_leave{a.ticket, a.player, false});  // the replaced ticket leaves nothing behind
  const auto b = h.ticket();
  h.join(b);
  h.w.run_for(1'000);
  CHECK(h.matched(a.player).size() == 1);
  CHECK(h.matched(b.player).size() == 1);
}

TEST_CASE("who leaves is not matched; who lost the connection keeps the place for the grace time",
          "[lobby]") {
  hall h;
  const auto a = h.ticket(), b = h.ticket(), c = h.ticket();
  h.join(a);
  h.w.ask(h.id, lobby_leave{a.ticket, a.player, false});
  h.join(b);
  h.w.run_for(2'000);
  CHECK(h.matched(b.player).empty());

  h.w.ask(h.id, lobby_leave{b.ticket, b.player, true});
  h.join(c);
  h.w.run_for(2'000);
  CHECK(h.matched(c.player).empty());  // b is away
  CHECK(is_accepted(h.w.ask(h.id, lobby_back{b.ticket, b.player})));
  h.w.run_for(2'000);
  CHECK(h.matched(b.player).size() == 1);
  CHECK(h.matched(c.player).size() == 1);

  const auto d = h.ticket();
  h.join(d);
  h.w.ask(h.id, lobby_leave{d.ticket, d.player, true});
  h.w.run_for(h.w.lobby_options.grace_ms + 1'000);
  CHECK(code_of(h.w.ask(h.id, lobby_back{d.ticket, d.player})) == "no_ticket");
}

TEST_CASE("the rating window widens with the waiting time", "[lobby]") {
  hall h;
  const auto a = h.ticket(1500), b = h.ticket(1900);
  h.join(a);
  h.join(b);
  h.w.run_for(9'000);
  CHECK(h.matched(a.player).empty());
  h.w.run_for(5'000);  // 100 + 25 a second reach 400 after 12 s
  CHECK(h.matched(a.player).size() == 1);
}

TEST_CASE("terms a lobby does not have are refused", "[lobby]") {
  hall h;
  auto t = h.ticket();
  t.game = "chess";
  CHECK(code_of(h.join(t)) == "unknown_game");
  for (const std::int64_t stake : {std::int64_t{0}, std::int64_t{-500}, INT64_MAX, INT64_MIN}) {
    t = h.ticket();
    t.stake = stake;
    CHECK(code_of(h.join(t)) == "bad_stake");
  }
  t = h.ticket();
  t.stake = 501;
  CHECK(code_of(h.join(t)) == "bad_request");
  t = h.ticket();
  t.options = "\x81\xA5steps\x05";
  CHECK(code_of(h.join(t)) == "bad_request");
  t.options = "rubbish";
  CHECK(code_of(h.join(t)) == "bad_options");
  t = h.ticket();
  t.player = {};
  CHECK(code_of(h.join(t)) == "bad_request");
  CHECK(code_of(h.w.ask(h.id, wallet_get{})) == "bad_request");
}

TEST_CASE("a full queue says when to come again", "[lobby][limits]") {
  hall h;
  h.w.lobby_options.queue_max = 3;
  h.w.lobby_options.matching = {0, 0, 0};
  for (int i = 0; i < 3; ++i) CHECK(is_accepted(h.join(h.ticket(1000 + 100 * i))));
  const auto full = h.join(h.ticket(2000));
  CHECK(code_of(full) == "overloaded");
  CHECK(std::get<refused>(full).retry_ms > 0);
}

TEST_CASE("a table that does not answer is asked again under the same id", "[lobby]") {
  hall h;
  int lost = 0;
  std::vector<uuid> tables;
  h.w.lose_message = [&](const entity_id& to, const request& what) {
    if (!std::holds_alternative<table_create>(what)) return false;
    if (tables.empty() || tables.back() != to.key) tables.push_back(to.key);
    return ++lost < 25;  // longer than one ask's deadline
  };
  const auto a = h.ticket(), b = h.ticket();
  h.join(a);
  h.join(b);
  h.w.run_for(15'000);
  CHECK(tables.size() == 1);
  CHECK(h.matched(a.player).size() == 1);
  CHECK(h.matched(b.player).size() == 1);
}

TEST_CASE("a table that is never created lets its players go", "[lobby]") {
  hall h;
  h.w.before_commit = [](const entity_id&, const change&) { return storage::errc::no_partition; };
  const auto a = h.ticket(), b = h.ticket();
  h.join(a);
  h.join(b);
  h.w.run_for(2'000);
  CHECK(h.matched(a.player).empty());
  CHECK(h.matched(a.player, "lobby.left").size() == 1);
  CHECK(h.matched(b.player, "lobby.left").size() == 1);
}

TEST_CASE("everybody in a crowd is matched once, to somebody else", "[lobby]") {
  hall h;
  std::vector<lobby_join> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(h.ticket(1000 + static_cast<std::int32_t>(h.w.random() % 1000)));
    h.w.send(h.id, crowd.back());
    h.w.run_for(static_cast<millis>(h.w.random() % 200));
  }
  h.w.run_for(120'000);
  std::map<uuid, int> tables;
  for (const auto& t : crowd) {
    REQUIRE(h.matched(t.player).size() == 1);
    ++tables[h.matched(t.player)[0]];
  }
  CHECK(tables.size() == 100);
  for (const auto& [table, players] : tables) CHECK(players == 2);
}

TEST_CASE("a stream of joins does not put off those who wait", "[lobby]") {
  hall h;
  const auto a = h.ticket(100), b = h.ticket(500);
  h.join(a);
  h.join(b);
  for (int i = 0; i < 200; ++i) {  // each 100 ms, all far away from them
    h.join(h.ticket(3'000 + 300 * i));
    h.w.run_for(100);
  }
  CHECK(h.matched(a.player).size() == 1);
}

TEST_CASE("the matcher pairs the oldest first and the nearest rating", "[lobby][matcher]") {
  matcher m{{100, 0, 100}};
  const auto enter = [&](std::int32_t rating, millis since) {
    const auto player = uuid::v4();
    REQUIRE(m.enter({uuid::v4(), player, rating, since, true}, 100));
    return player;
  };
  const auto old = enter(1500, 10), near = enter(1510, 30), far = enter(1580, 20),
             lone = enter(2000, 5);
  const auto pairs = m.pair(1'000, 100);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0] == std::pair{old, near});
  CHECK(m.size() == 2);
  CHECK_FALSE(m.opponent_of(far, 1'000));
  CHECK_FALSE(m.opponent_of(lone, 1'000));
  const auto twin = enter(1580, 40);
  CHECK(m.opponent_of(twin, 1'000) == far);
  CHECK(m.set_present(far, false));
  CHECK_FALSE(m.opponent_of(twin, 1'000));
  CHECK(m.pair(1'000, 100).empty());
}

TEST_CASE("lobbies of other terms have other keys", "[lobby]") {
  const auto base = lobby_key("draw", "x", 500, storage::currency::demo);
  CHECK(base == lobby_key("draw", "x", 500, storage::currency::demo));
  CHECK(base != lobby_key("draw", "x", 501, storage::currency::demo));
  CHECK(base != lobby_key("draw", "y", 500, storage::currency::demo));
  CHECK(base != lobby_key("draw2", "x", 500, storage::currency::demo));
  CHECK(base != lobby_key("draw", "x", 500, storage::currency::kes));
}
