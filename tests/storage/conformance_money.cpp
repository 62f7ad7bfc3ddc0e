// Accounts and transfers: ids, floors, opening, closing, limits.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

TEST_CASE("a transfer id repeated with the same content moves no money again", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000);
  const auto game = new_match(w);
  auto pay = w.commit_of(rich.entity, 1);
  pay.transfers.push_back(buy_in(rich, game, 400));
  const auto first = w.apply_one(pay);
  REQUIRE(first.code == errc::none);
  CHECK(first.existing_transfers.value_or(0) == 0);
  pay.expected_seq = 2;
  const auto again = w.apply_one(pay);
  CHECK(again.code == errc::none);
  CHECK(again.existing_transfers.value_or(0) == 1);
  CHECK(w.balance_of(rich.account).amount == 600);
  CHECK(w.balance_of(game.escrow).amount == 400);
  CHECK(w.head_of(rich.entity) == 3);  // the commit's event is a new one all the same
  w.require_clean_ledger();
}

TEST_CASE("a repeated transfer is still answered `exists` when its accounts have moved on",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 400);
  const auto game = new_match(w);
  auto pay = w.commit_of(rich.entity, 1);
  pay.transfers.push_back(buy_in(rich, game, 400));
  REQUIRE(w.apply_one(pay).code == errc::none);
  auto settle = w.commit_of(game.entity, 1);
  settle.transfers.push_back(payout(game, rich, 390));
  settle.transfers.push_back({uuid::v8(game.id, "rake"), game.escrow, house(account_kind::rake), 10,
                              currency::demo, transfer_kind::rake, game.id});
  settle.closes.push_back(game.escrow);
  REQUIRE(w.apply_one(settle).code == errc::none);
  pay.expected_seq = 2;  // a late repeat: the escrow is closed and the wallet could not pay again
  const auto late = w.apply_one(pay);
  CHECK(late.code == errc::none);
  CHECK(late.existing_transfers.value_or(0) == 1);
  CHECK(w.balance_of(rich.account).amount == 390);
  w.require_clean_ledger();
}

TEST_CASE("a transfer id with any other content is a conflict", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000), other = new_wallet(w, 1'000);
  const auto game = new_match(w), second = new_match(w);
  auto pay = w.commit_of(rich.entity, 1);
  const auto original = buy_in(rich, game, 100);
  pay.transfers = {original};
  REQUIRE(w.apply_one(pay).code == errc::none);
  auto changed = original;
  SECTION("amount") { changed.amount = 99; }
  SECTION("debit") { changed.debit = other.account; }
  SECTION("credit") { changed.credit = second.escrow; }
  SECTION("kind") { changed.kind = transfer_kind::sweep; }
  SECTION("reference") { changed.reference = second.id; }
  SECTION("currency") { changed.money = currency::kes; }
  pay.expected_seq = 2;
  pay.transfers = {changed};
  CHECK(w.apply_one(pay).code == errc::transfer_conflict);
  CHECK(w.balance_of(rich.account).amount == 900);
  CHECK(w.balance_of(other.account).amount == 1'000);
  CHECK(w.head_of(rich.entity) == 2);
}

TEST_CASE("an account with a floor pays its last cent and not one more", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto poor = new_wallet(w, 100);
  const auto game = new_match(w);
  auto pay = w.commit_of(poor.entity, 1);
  pay.transfers = {buy_in(poor, game, 101)};
  CHECK(w.apply_one(pay).code == errc::overdraft);
  pay.transfers = {buy_in(poor, game, 100)};
  const auto paid = w.apply_one(pay);
  CHECK(paid.code == errc::none);
  CHECK(w.balance_of(poor.account).amount == 0);
  // Several debits in one commit count together.
  auto split = w.commit_of(game.entity, 1);
  split.transfers = {payout(game, poor, 60)};
  split.transfers.push_back({uuid::v8(game.id, "rake"), game.escrow, house(account_kind::rake), 41,
                             currency::demo, transfer_kind::rake, game.id});
  CHECK(w.apply_one(split).code == errc::overdraft);
  split.transfers[1].amount = 40;
  CHECK(w.apply_one(split).code == errc::none);
  CHECK(w.balance_of(game.escrow).amount == 0);
  w.require_clean_ledger();
}

TEST_CASE("system accounts exist for every slot and have no floor", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  for (const auto k : {account_kind::rake, account_kind::float_, account_kind::suspense,
                       account_kind::bonus, account_kind::tax})
    for (const auto money : {currency::demo, currency::kes})
      for (std::uint32_t slot = 0; slot < system_slots; ++slot)
        REQUIRE(w.balance_of(system_account(k, money, slot)).amount == 0);
  new_wallet(w, 123);
  CHECK(w.balance_of(house(account_kind::bonus)).amount == -123);
}

TEST_CASE("balances and growing versions come back with the commit", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000);
  const auto game = new_match(w);
  std::uint64_t version = w.balance_of(rich.account).version;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    auto pay = w.commit_of(rich.entity, n);
    pay.transfers = {buy_in(rich, game, 10)};
    pay.transfers[0].id = uuid::v8(game.id, std::to_string(n));
    const auto answer = w.apply_one(pay);
    REQUIRE(answer.code == errc::none);
    REQUIRE(answer.balances.size() == 2);
    for (const auto& b : answer.balances) {
      const auto stored = w.balance_of(b.account);
      CHECK(b.amount == stored.amount);
      CHECK(b.version == stored.version);
    }
    const auto mine = w.balance_of(rich.account);
    CHECK(mine.amount == 1'000 - static_cast<std::int64_t>(n) * 10);
    CHECK(mine.version > version);
    version = mine.version;
  }
}

TEST_CASE("an account opened in a commit can be credited and closed in the same", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 50);
  const auto id = uuid::v7(wall_clock());
  const entity_id table{entity_kind::table, id};
  const auto escrow = escrow_account(id, currency::demo);
  auto all = w.commit_of(table, 0, 2);
  all.opens.push_back({escrow, account_kind::escrow, currency::demo, id});
  all.transfers.push_back({uuid::v8(id, "in"), house(account_kind::bonus), escrow, 7,
                           currency::demo, transfer_kind::sweep, id});
  SECTION("it is refused while money is left") {
    all.closes.push_back(escrow);
    CHECK(w.apply_one(all).code == errc::account_not_empty);
    CHECK_FALSE(w.has_account(escrow));
    CHECK(w.head_of(table) == 0);
  }
  SECTION("it is closed when the money has left again") {
    all.transfers.push_back(
        {uuid::v8(id, "out"), escrow, rich.account, 7, currency::demo, transfer_kind::payout, id});
    all.closes.push_back(escrow);
    CHECK(w.apply_one(all).code == errc::none);
    CHECK(w.balance_of(escrow).closed);
    CHECK(w.balance_of(rich.account).amount == 57);
  }
  w.require_clean_ledger();
}

TEST_CASE("a closed account takes no money for good", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 100);
  const auto game = new_match(w);
  auto close = w.commit_of(game.entity, 1);
  close.closes.push_back(game.escrow);
  REQUIRE(w.apply_one(close).code == errc::none);
  CHECK(w.balance_of(game.escrow).closed);
  auto late = w.commit_of(rich.entity, 1);
  late.transfers = {buy_in(rich, game, 10)};
  CHECK(w.apply_one(late).code == errc::account_closed);
  w.restart();
  late.epoch = w.node.epoch;
  CHECK(w.apply_one(late).code == errc::account_closed);
  CHECK(w.balance_of(rich.account).amount == 100);
}

TEST_CASE("opening an equal account again changes nothing, a different one is refused",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 100);
  auto again = w.commit_of(rich.entity, 1);
  again.opens.push_back({rich.account, account_kind::player, currency::demo, rich.player});
  CHECK(w.apply_one(again).code == errc::none);
  CHECK(w.balance_of(rich.account).amount == 100);
  again.expected_seq = 2;
  again.opens[0].owner = uuid::v4();
  CHECK(w.apply_one(again).code != errc::none);
  CHECK(w.head_of(rich.entity) == 2);
}

TEST_CASE("a refused open leaves no account behind for the next member", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto id = uuid::v7(wall_clock());
  const auto escrow = escrow_account(id, currency::demo);
  auto refused = w.commit_of({entity_kind::table, id}, 5);
  refused.opens.push_back({escrow, account_kind::escrow, currency::demo, id});
  auto poor = new_wallet(w, 1);
  auto overdrawn = w.commit_of(poor.entity, 1);
  const auto fresh = uuid::v4();
  overdrawn.opens.push_back({fresh, account_kind::prize, currency::demo, id});
  overdrawn.transfers.push_back(
      {uuid::v8(id, "x"), poor.account, fresh, 2, currency::demo, transfer_kind::buy_in, id});
  const auto answer = w.apply({&refused, &overdrawn});
  CHECK(answer.members.at(0).code == errc::seq_conflict);
  CHECK(answer.members.at(1).code == errc::overdraft);
  CHECK_FALSE(w.has_account(escrow));
  CHECK_FALSE(w.has_account(fresh));
}

TEST_CASE("amounts at the limit of 64 bits are refused, never wrapped", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto full = new_wallet(w, INT64_MAX);
  CHECK(w.balance_of(full.account).amount == INT64_MAX);
  CHECK(w.balance_of(house(account_kind::bonus)).amount == -INT64_MAX);
  const auto game = new_match(w);
  auto more = w.commit_of({entity_kind::house, uuid::v4()}, 0);
  more.transfers.push_back({uuid::v8(game.id, "more"), house(account_kind::rake), full.account, 1,
                            currency::demo, transfer_kind::grant, game.id});
  CHECK(w.apply_one(more).code == errc::invalid);
  // The other side's limit: an account without a floor.
  more.transfers[0] = {uuid::v8(game.id, "deep"),
                       house(account_kind::bonus),
                       game.escrow,
                       2,
                       currency::demo,
                       transfer_kind::grant,
                       game.id};
  CHECK(w.apply_one(more).code == errc::invalid);
  auto everything = w.commit_of(full.entity, 1);
  everything.transfers = {buy_in(full, game, INT64_MAX)};
  CHECK(w.apply_one(everything).code == errc::none);
  CHECK(w.balance_of(full.account).amount == 0);
  CHECK(w.balance_of(game.escrow).amount == INT64_MAX);
  w.require_clean_ledger();
}

TEST_CASE("keys at both ends of 128 bits are kept apart", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  uuid lowest, highest, low_bit, high_bit;
  highest.bytes.fill(0xFF);
  low_bit.bytes[15] = 1;
  high_bit.bytes[0] = 0x80;
  std::vector<wallet> wallets;
  std::int64_t funds = 0;
  for (const auto& key : {lowest, highest, low_bit, high_bit})
    wallets.push_back(new_wallet(w, ++funds, currency::demo, key));
  funds = 0;
  for (const auto& each : wallets) {
    CHECK(w.balance_of(each.account).amount == ++funds);
    CHECK(w.head_of(each.entity) == 1);
  }
  // Transfer ids and references: any low bits below a time that the store has room for.
  auto base = uuid::v7(wall_clock());
  auto first = base, last = base;
  std::fill(first.bytes.begin() + 6, first.bytes.end(), std::uint8_t{0});
  std::fill(last.bytes.begin() + 6, last.bytes.end(), std::uint8_t{0xFF});
  auto move = w.commit_of(wallets[0].entity, 1);
  for (const auto& id : {first, last})
    move.transfers.push_back({id, house(account_kind::bonus), wallets[0].account, 5, currency::demo,
                              transfer_kind::grant, highest});
  REQUIRE(w.apply_one(move).code == errc::none);
  const std::array ids{first, last, base};
  const auto found = w.reader->transfers(ids);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(std::ranges::is_permutation(*found, move.transfers));
  w.require_clean_ledger();
}

TEST_CASE("batch ids use all their 64 bits", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w);
  const auto one = w.commit_of(game.entity, 1);
  const batch highest{{w.node.incarnation, 0, UINT64_MAX}, {&one}};
  REQUIRE(w.writer->apply(highest).members.at(0).code == errc::none);
  CHECK(w.writer->apply(highest).members.at(0).code == errc::none);
  CHECK(w.writer->apply({{w.node.incarnation, 0, UINT64_MAX - 1}, {&one}}).members.at(0).code ==
        errc::seq_conflict);
}

TEST_CASE("verify finds stakes that an ended match left in its escrow", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto rich = new_wallet(w, 1'000);
  const auto game = new_match(w);
  auto pay = w.commit_of(rich.entity, 1);
  pay.transfers.push_back(buy_in(rich, game, 400));
  REQUIRE(w.apply_one(pay).code == errc::none);
  w.require_clean_ledger();  // while it runs they belong there
  auto end = w.commit_of(game.entity, 1);
  end.wake = commit::wake_change::clear;
  REQUIRE(w.apply_one(end).code == errc::none);
  const auto report = w.store->verify();
  REQUIRE(report);
  CHECK_FALSE(report->clean);
  INFO(report->first_violation);
  CHECK(report->first_violation.find("still holds 400") != std::string::npos);
}

TEST_CASE("verify reads a ledger of several chunks to its end", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto base = uuid::v7(wall_clock());
  std::uint64_t made = 0;
  for (std::uint64_t n = 0; n < 100; ++n) {  // 25,600 events, 10,000 accounts, 25,600 transfers
    const auto match = uuid::v7(wall_clock());
    auto c = w.commit_of({entity_kind::table, match}, 0, 256);
    for (std::uint64_t i = 0; i < 100; ++i) {
      const auto player = uuid::v4();
      c.opens.push_back(
          {player_account(player, currency::demo), account_kind::player, currency::demo, player});
    }
    for (std::uint64_t i = 0; i < 256; ++i)
      c.transfers.push_back({uuid::v8(base, std::to_string(++made)), house(account_kind::bonus),
                             c.opens[i % 100].id, 1, currency::demo, transfer_kind::grant, base});
    REQUIRE(w.apply_one(c).code == errc::none);
  }
  const auto report = w.store->verify();
  REQUIRE(report);
  INFO(report->first_violation);
  CHECK(report->clean);
  CHECK(report->transfers == 25'600);
  CHECK(report->journal_events == 25'600);
  CHECK(report->matches == 100);
  CHECK(report->accounts == 160 + 10'000);
}
