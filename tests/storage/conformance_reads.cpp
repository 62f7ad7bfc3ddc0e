// What the readers see: activation, journals, history, wake-ups, incidents; and nothing at all.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

TEST_CASE("reads of what was never written answer with nothing, not with an error",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const std::array entities{entity_id{entity_kind::table, uuid::v7(wall_clock())},
                            entity_id{entity_kind::wallet, uuid{}}};
  const auto active = w.reader->activate(entities);
  REQUIRE(active);
  REQUIRE(active->size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((*active)[i].entity == entities[i]);
    CHECK((*active)[i].head == 0);
    CHECK((*active)[i].events.empty());
    CHECK_FALSE((*active)[i].snapshot);
  }
  const std::array keys{uuid::v4(), uuid{}};
  const auto none = w.reader->activate({});
  REQUIRE(none);
  CHECK(none->empty());
  CHECK(w.reader->events(entities[0], 0, 10)->empty());
  CHECK(w.reader->balances(keys)->empty());
  CHECK(w.reader->balances({})->empty());
  CHECK(w.reader->transfers(keys)->empty());
  CHECK(w.reader->transfers_of(keys[0], entities[0].key)->empty());
  CHECK(w.reader->history(keys[0], currency::demo, std::nullopt, 10)->empty());
  CHECK(w.reader->wakes(0, 63, INT64_MAX, 10)->empty());
  CHECK(w.reader->incidents(10)->empty());
  w.require_clean_ledger();
}

TEST_CASE("an activation holds the newest snapshot and the events after it", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w), plain = new_match(w);
  auto first = w.commit_of(game.entity, 1, 3);
  first.snapshot = "state at 4";
  REQUIRE(w.apply_one(first).code == errc::none);
  REQUIRE(w.apply_one(w.commit_of(game.entity, 4, 2)).code == errc::none);
  const std::array asked{plain.entity, game.entity};
  auto found = w.reader->activate(asked);
  REQUIRE(found);
  CHECK((*found)[0].head == 1);
  CHECK((*found)[1].head == 6);
  CHECK((*found)[1].snapshot == "state at 4");
  CHECK((*found)[1].snapshot_seq == 4);
  REQUIRE((*found)[1].events.size() == 2);
  CHECK((*found)[1].events[0].seq == 5);
  for (std::size_t i = 0; i < asked.size(); ++i) {  // alone it is another question to some stores
    const auto alone = w.reader->activate(std::span{&asked[i], 1});
    REQUIRE(alone);
    REQUIRE(alone->size() == 1);
    CHECK(is_same(alone->at(0), (*found)[i]));
  }

  auto second = w.commit_of(game.entity, 6);
  second.snapshot = std::string("\0state\xff", 7);
  REQUIRE(w.apply_one(second).code == errc::none);
  found = w.reader->activate(asked);
  CHECK((*found)[1].head == 7);
  CHECK((*found)[1].snapshot == second.snapshot);
  CHECK((*found)[1].events.empty());
  // Snapshots never replace the journal.
  const auto all = w.reader->events(game.entity, 0, 100);
  REQUIRE(all);
  REQUIRE(all->size() == 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK((*all)[i].seq == i + 1);
  const auto page = w.reader->events(game.entity, 2, 3);
  REQUIRE(page->size() == 3);
  CHECK(page->front().seq == 3);
  CHECK(w.reader->events(game.entity, 7, 10)->empty());
}

TEST_CASE("everything is still there after the store was closed and opened", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 77);
  const auto before = w.node;
  w.restart();
  CHECK(w.node.incarnation > before.incarnation);
  CHECK(w.balance_of(rich.account).amount == 77);
  CHECK(w.head_of(rich.entity) == 1);
  CHECK(w.apply_one(w.commit_of(rich.entity, 1)).code == errc::none);
}

TEST_CASE("wake-ups are set, moved, kept and cleared with the commits", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto soon = new_match(w), later = new_match(w);
  auto set = w.commit_of(soon.entity, 1);
  set.wake = commit::wake_change::set;
  set.wake_at = 2'000;
  auto second = w.commit_of(later.entity, 1);
  second.wake = commit::wake_change::set;
  second.wake_at = 3'000;
  REQUIRE(w.apply({&second, &set}).code == errc::none);
  REQUIRE(w.apply_one(w.commit_of(soon.entity, 2)).code == errc::none);  // keep

  auto due = w.reader->wakes(0, 63, 3'000, 10);
  REQUIRE(due);
  REQUIRE(due->size() == 2);
  CHECK((*due)[0].entity == soon.entity);
  CHECK((*due)[0].at == 2'000);
  CHECK((*due)[0].attempts == 0);
  CHECK((*due)[1].entity == later.entity);
  CHECK(w.reader->wakes(0, 63, 2'999, 10)->size() == 1);
  CHECK(w.reader->wakes(0, 63, 1'999, 10)->empty());
  CHECK(w.reader->wakes(0, 63, 3'000, 1)->size() == 1);
  const auto shard = shard_of(soon.entity, 64);
  const auto of_shard = w.reader->wakes(shard, shard, 3'000, 10);
  REQUIRE(of_shard);
  CHECK_FALSE(of_shard->empty());
  for (const auto& row : *of_shard) CHECK(shard_of(row.entity, 64) == shard);

  auto move = w.commit_of(soon.entity, 3);
  move.wake = commit::wake_change::set;
  move.wake_at = 9'000;
  auto clear = w.commit_of(later.entity, 2);
  clear.wake = commit::wake_change::clear;
  auto refused = w.commit_of(new_match(w).entity, 5);
  refused.wake = commit::wake_change::set;
  refused.wake_at = 1;
  const auto answer = w.apply({&move, &clear, &refused});
  CHECK(answer.members.at(2).code == errc::seq_conflict);
  due = w.reader->wakes(0, 63, 9'000, 10);
  REQUIRE(due->size() == 1);
  CHECK((*due)[0].entity == soon.entity);
  CHECK((*due)[0].at == 9'000);
}

TEST_CASE("wake-ups are read in pages, none twice, none left out", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  std::vector<entity_id> expected;
  for (int i = 0; i < 7; ++i) {
    const auto game = new_match(w);
    auto set = w.commit_of(game.entity, 1);
    set.wake = commit::wake_change::set;
    set.wake_at = 1'000 + i / 3;  // some are due at the same moment
    REQUIRE(w.apply_one(set).code == errc::none);
    expected.push_back(game.entity);
  }
  std::vector<entity_id> found;
  std::optional<wake_row> last;
  for (std::size_t pages = 0; pages < 10; ++pages) {
    const auto page = w.reader->wakes(0, 63, 2'000, 2, last ? &*last : nullptr);
    REQUIRE(page);
    for (const auto& row : *page) found.push_back(row.entity);
    if (page->size() < 2) break;
    last = page->back();
  }
  std::ranges::sort(found);
  std::ranges::sort(expected);
  CHECK(found == expected);
}

TEST_CASE("a player's history holds buy-ins and winnings, newest first, by page", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 10'000), other = new_wallet(w, 10'000);
  std::vector<transfer> expected;
  std::uint64_t seq = 1;
  for (int n = 0; n < 7; ++n) {
    const auto game = new_match(w);
    auto pay = w.commit_of(rich.entity, seq++);
    pay.transfers = {buy_in(rich, game, 100 + n)};
    auto theirs = w.commit_of(other.entity, static_cast<std::uint64_t>(n) + 1);
    theirs.transfers = {buy_in(other, game, 100 + n)};
    REQUIRE(w.apply({&pay, &theirs}).code == errc::none);
    expected.push_back(pay.transfers[0]);
    auto settle = w.commit_of(game.entity, 1);
    settle.transfers = {payout(game, rich, 2 * (100 + n) - 1)};
    settle.transfers.push_back({uuid::v8(game.id, "rake"), game.escrow, house(account_kind::rake),
                                1, currency::demo, transfer_kind::rake, game.id});
    settle.closes = {game.escrow};
    REQUIRE(w.apply_one(settle).code == errc::none);
    expected.push_back(settle.transfers[0]);
  }
  std::ranges::sort(expected, std::ranges::greater{}, &transfer::id);

  std::vector<history_row> read;
  std::optional<uuid> before;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = w.reader->history(rich.player, currency::demo, before, 4);
    REQUIRE(page);
    CHECK(page->size() <= 4);
    if (page->empty()) break;
    read.insert(read.end(), page->begin(), page->end());
    before = page->back().what.id;
  }
  // The funding grant is in it too; its id is of its own moment, so its place is not asserted.
  std::erase_if(read, [](const history_row& row) { return row.what.kind == transfer_kind::grant; });
  REQUIRE(read.size() == expected.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    CHECK(read[i].what == expected[i]);
    CHECK(read[i].credit == (expected[i].kind == transfer_kind::payout));
    CHECK(std::abs(read[i].at - wall_clock()) < 60'000);
  }
  CHECK(w.reader->history(rich.player, currency::kes, std::nullopt, 10)->empty());
  CHECK(w.reader->history(other.player, currency::demo, std::nullopt, 200)->size() == 8);
}

TEST_CASE("all transfers of a match's escrow are found by its id", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto one = new_wallet(w, 1'000), two = new_wallet(w, 1'000);
  const auto game = new_match(w), noise = new_match(w);
  auto first = w.commit_of(one.entity, 1);
  first.transfers = {buy_in(one, game, 10), buy_in(one, noise, 20)};
  auto second = w.commit_of(two.entity, 1);
  second.transfers = {buy_in(two, game, 10)};
  REQUIRE(w.apply({&first, &second}).code == errc::none);
  auto settle = w.commit_of(game.entity, 1);
  settle.transfers = {payout(game, two, 20)};
  settle.closes = {game.escrow};
  REQUIRE(w.apply_one(settle).code == errc::none);
  const auto found = w.reader->transfers_of(game.escrow, game.id);
  REQUIRE(found);
  const std::vector<transfer> expected{first.transfers[0], second.transfers[0],
                                       settle.transfers[0]};
  CHECK(found->size() == 3);
  CHECK(std::ranges::is_permutation(*found, expected));
  CHECK(w.reader->transfers_of(one.account, game.id)->size() == 1);
  CHECK(w.reader->transfers_of(game.escrow, noise.id)->empty());
}

TEST_CASE("incidents are kept, newest first, and once per id", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w);
  incident first{uuid::v7(wall_clock()), 1'000, game.entity, "crash", "it's \"quoted\" \xc3\xa9"};
  incident second{uuid::v7(wall_clock()), 2'000, game.entity, "void", ""};
  REQUIRE(w.store->record_incident(first));
  REQUIRE(w.store->record_incident(second));
  REQUIRE(w.store->record_incident(first));
  const auto found = w.reader->incidents(10);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK((*found)[0].id == second.id);
  CHECK((*found)[1].kind == "crash");
  CHECK((*found)[1].detail == first.detail);
  CHECK((*found)[1].entity == game.entity);
  CHECK((*found)[1].at == 1'000);
  CHECK(w.reader->incidents(1)->size() == 1);
}

TEST_CASE("the store's clock answers and does not go back", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  millis last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto now = w.reader->now();
    REQUIRE(now);
    REQUIRE(*now >= last);
    last = *now;
  }
  CHECK(std::abs(last - wall_clock()) < 60'000);
  CHECK(std::abs(w.node.store_time - wall_clock()) < 60'000);
}
