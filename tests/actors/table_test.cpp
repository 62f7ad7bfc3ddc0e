#include <catch2/catch_test_macros.hpp>

#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

TEST_CASE("a match is played from its creation to its settlement", "[table]") {
  world w;
  duel d{w};
  d.w.table_options.rake_bp = 500;
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
  CHECK(w.store.balance(storage::system_account(storage::account_kind::rake, storage::currency::demo, 0)) == 50);
  CHECK(w.store.violation() == "");
  CHECK(w.store.wakes.empty());
  w.run_for(1'000);  // the hint reaches the wallet
  const auto wallet = w.ask(wallet_of(d.one), wallet_get{});
  CHECK(std::get<wallet_state>(wallet).balance == 100'450);
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
