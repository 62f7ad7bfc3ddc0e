#include <catch2/catch_test_macros.hpp>

#include "actors/limits.hpp"
#include "players.hpp"
#include "secret_game.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

/// A wallet and matches without tables: only their escrows.
struct purse {
  explicit purse(std::uint64_t seed = 1)
      : w{seed}, who{make_player(w.random)}, id{wallet_of(who)} {}
  world w;
  player who;
  entity_id id;

  uuid open_match() {
    uuid match = uuid::v7(w.now());
    change opening;
    opening.events.push_back("\x92\x01\x00");
    opening.opens.push_back({storage::escrow_account(match, storage::currency::demo),
                             storage::account_kind::escrow, storage::currency::demo, match});
    w.store.apply({entity_kind::house, match}, 0, opening, w.now());
    return match;
  }
  wallet_buy_in stake(const uuid& match, std::int64_t amount) {
    return {uuid::v8(match, "buy_in/0"), match,
            storage::escrow_account(match, storage::currency::demo), amount,
            storage::currency::demo};
  }
  answer take(const wallet_buy_in& what) {
    const auto number = 1'000'000 + w.send_inside(id, what);
    w.run_until([&] { return !w.answers(number).empty(); }, 20'000);
    return w.answer_of(number);
  }
  wallet_state state() { return std::get<wallet_state>(w.ask(id, wallet_get{})); }
  std::size_t pushes() const {
    std::size_t count = 0;
    for (const auto& push : w.pushes)
      if (const auto* one = std::get_if<player_push>(&push))
        count += one->type == "wallet.changed" && one->player == who.key;
    return count;
  }
  /// Somebody else credits this wallet behind its back.
  storage::balance credit(std::int64_t amount) {
    const auto own = storage::player_account(who.key, storage::currency::demo);
    const auto reference = uuid::v7(w.now());
    change giving;
    giving.events.push_back("\x92\x01\x00");
    giving.transfers.push_back(
        {reference,
         storage::system_account(storage::account_kind::bonus, storage::currency::demo, 3), own,
         amount, storage::currency::demo, storage::transfer_kind::deposit, reference});
    return w.store.apply({entity_kind::house, reference}, 0, giving, w.now()).balances.at(0);
  }
};

}  // namespace

TEST_CASE("a new player gets the demo grant once, whatever dies", "[wallet]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    purse p{seed};
    p.w.fault.crash = 0.4;
    for (int i = 0; i < 5; ++i) {
      p.w.send(p.id, wallet_get{});
      p.w.run_for(7);
    }
    p.w.fault.crash = 0;
    CHECK(p.state().balance == p.w.wallet_options.demo_grant_minor);
    CHECK(p.w.money(p.who.key) == p.w.wallet_options.demo_grant_minor);
    CHECK(p.w.store.transfers.size() == 1);
    CHECK(p.w.store.violation() == "");
  }
}

TEST_CASE("a wallet without a grant opens empty; other currencies have no account yet",
          "[wallet]") {
  purse p;
  p.w.wallet_options.demo_grant_minor = 0;
  CHECK(p.state().balance == 0);
  const auto match = p.open_match();
  auto ask = p.stake(match, 10);
  CHECK(code_of(p.take(ask)) == "insufficient_funds");
  ask.money = storage::currency::kes;
  ask.escrow = storage::escrow_account(match, ask.money);
  CHECK(code_of(p.take(ask)) == "no_account");
}

TEST_CASE("a buy-in moves the stake once, and its repeats get the first answer", "[wallet][D5]") {
  purse p;
  const auto match = p.open_match();
  const auto ask = p.stake(match, 400);
  const auto first = std::get<bought_in>(p.take(ask));
  CHECK(first.balance == 99'600);
  for (const bool restarted : {false, true}) {
    if (restarted) p.w.crash(p.id);
    const auto again = std::get<bought_in>(p.take(ask));
    CHECK(again.balance == 99'600);
    CHECK(again.version == first.version);
  }
  CHECK(p.w.store.journals[p.id].size() == 2);
  auto other = ask;
  other.amount = 401;
  CHECK(code_of(p.take(other)) == "transfer_conflict");
  CHECK(p.w.money(p.who.key) == 99'600);
}

TEST_CASE("a repeat older than what the wallet remembers is known to the store", "[wallet][D5]") {
  purse p;
  const auto old = p.stake(p.open_match(), 400);
  REQUIRE(std::holds_alternative<bought_in>(p.take(old)));
  for (std::size_t i = 0; i < wallet_repeats_max; ++i)
    REQUIRE(std::holds_alternative<bought_in>(p.take(p.stake(p.open_match(), 1'000))));
  const auto left = p.w.money(p.who.key);
  CHECK(left == 100'000 - 400 - 64'000);
  CHECK(std::holds_alternative<bought_in>(
      p.take(old)));  // its money suffices: the store finds the transfer there
  CHECK(p.w.money(p.who.key) == left);

  purse poor;
  const auto paid = poor.stake(poor.open_match(), 36'000);
  REQUIRE(std::holds_alternative<bought_in>(poor.take(paid)));
  for (std::size_t i = 0; i < wallet_repeats_max; ++i)
    REQUIRE(std::holds_alternative<bought_in>(poor.take(poor.stake(poor.open_match(), 1'000))));
  CHECK(poor.w.money(poor.who.key) == 0);
  CHECK(std::holds_alternative<bought_in>(poor.take(paid)));  // its money does not: but it was paid
  CHECK(code_of(poor.take(poor.stake(poor.open_match(), 1))) == "insufficient_funds");
  CHECK(poor.w.money(poor.who.key) == 0);
  CHECK(poor.w.store.violation() == "");
}

TEST_CASE("remembered buy-ins survive in the snapshot", "[wallet]") {
  purse p;
  std::vector<wallet_buy_in> asks;
  for (int i = 0; i < 60; ++i) {
    asks.push_back(p.stake(p.open_match(), 10));
    REQUIRE(std::holds_alternative<bought_in>(p.take(asks.back())));
  }
  REQUIRE(p.w.store.snapshots.contains(p.id));
  CHECK(p.w.store.snapshots[p.id].first == wallet_snapshot_every);
  p.w.crash(p.id);
  const auto journal = p.w.store.journals[p.id].size();
  for (const auto& ask : asks) CHECK(std::holds_alternative<bought_in>(p.take(ask)));
  CHECK(p.w.store.journals[p.id].size() == journal);
}

TEST_CASE("before it refuses for lack of funds the wallet reads its row again", "[wallet][D5]") {
  purse p;
  CHECK(p.state().balance == 100'000);
  p.credit(50'000);  // and the hint is lost
  CHECK(std::holds_alternative<bought_in>(p.take(p.stake(p.open_match(), 120'000))));
  CHECK(p.state().balance == 30'000);
  CHECK(code_of(p.take(p.stake(p.open_match(), 30'001))) == "insufficient_funds");
}

TEST_CASE("a credit hint counts only with a higher version", "[wallet][D5]") {
  purse p;
  CHECK(p.state().balance == 100'000);
  const auto before = p.pushes();
  const auto first = p.credit(10), second = p.credit(20);
  p.w.send_inside(p.id, wallet_credited{second, storage::currency::demo});
  p.w.run_for(100);
  CHECK(p.state().balance == 100'030);
  p.w.send_inside(p.id, wallet_credited{first, storage::currency::demo});  // out of order
  p.w.send_inside(p.id, wallet_credited{second, storage::currency::demo});
  p.w.run_for(100);
  CHECK(p.state().balance == 100'030);
  CHECK(p.state().version == second.version);
  CHECK(p.pushes() == before + 1);
  auto foreign = second;
  foreign.account = storage::player_account(uuid::v4(), storage::currency::demo);
  foreign.version += 5;
  foreign.amount = 9'999'999;
  p.w.send_inside(p.id, wallet_credited{foreign, storage::currency::demo});
  p.w.run_for(100);
  CHECK(p.state().balance == 100'030);
}

TEST_CASE("what the store refuses is refused with a reason, and nothing is taken", "[wallet]") {
  purse p;
  const auto unknown = uuid::v7(p.w.now());
  CHECK(code_of(p.take(p.stake(unknown, 10))) == "unknown_match");
  const auto match = p.open_match();
  p.w.store.accounts[storage::escrow_account(match, storage::currency::demo)].closed = true;
  CHECK(code_of(p.take(p.stake(match, 10))) == "match_closed");
  auto wrong = p.stake(p.open_match(), 10);
  wrong.escrow = storage::escrow_account(uuid::v7(p.w.now()), storage::currency::demo);
  CHECK(code_of(p.take(wrong)) == "bad_request");
  CHECK(code_of(p.w.ask(p.id, p.stake(p.open_match(), 10))) == "forbidden");  // from an edge
  CHECK(p.w.money(p.who.key) == 100'000);
  CHECK(std::holds_alternative<bought_in>(p.take(p.stake(p.open_match(), 10))));
}

TEST_CASE("an overdraft that the wallet did not foresee is read again and refused", "[wallet]") {
  purse p;
  CHECK(p.state().balance == 100'000);
  p.w.before_commit = [&](const entity_id& id, const change&) {
    return id == p.id ? storage::errc::overdraft : storage::errc::none;
  };
  CHECK(code_of(p.take(p.stake(p.open_match(), 10))) == "insufficient_funds");
  p.w.before_commit = nullptr;
  CHECK(std::holds_alternative<bought_in>(p.take(p.stake(p.open_match(), 10))));
}

TEST_CASE("each change of the balance is pushed to the player once", "[wallet]") {
  purse p;
  CHECK(p.state().balance == 100'000);
  CHECK(p.pushes() == 1);
  p.take(p.stake(p.open_match(), 400));
  REQUIRE(p.pushes() == 2);
  const auto& last = std::get<player_push>(p.w.pushes.back());
  CHECK(last.count == 4);
  const look body{"\x84" + last.fields};
  CHECK(body["balance"].number() == 99'600);
  CHECK(body["available"].number() == 99'600);
  CHECK(body["currency"].text() == "DEMO");
  CHECK(body["version"].number() > 0);
}

TEST_CASE("stakes asked for at once are taken one after the other, never below zero", "[wallet]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    purse p{seed};
    p.w.fault = {0, 0, 20, 0.05};
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 12; ++i)
      numbers.push_back(1'000'000 + p.w.send_inside(p.id, p.stake(p.open_match(), 10'000)));
    p.w.run_for(5'000);
    CHECK(p.w.store.violation() == "");
    CHECK(p.w.money(p.who.key) >= 0);
    std::size_t taken = 0;
    for (const auto number : numbers)
      for (const auto& a : p.w.answers(number)) taken += std::holds_alternative<bought_in>(a);
    CHECK(static_cast<std::int64_t>(taken) <= 10);
    CHECK(p.w.money(p.who.key) <= 100'000 - static_cast<std::int64_t>(taken) * 10'000);
  }
}
