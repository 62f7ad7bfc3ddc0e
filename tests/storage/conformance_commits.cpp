// Commits as such: sequence, batches with bad members, repeats, fences.
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {
entity_id some_table() { return {entity_kind::table, uuid::v7(wall_clock())}; }
}  // namespace

TEST_CASE("a commit is read back as it was written", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto table = some_table();
  auto first = w.commit_of(table, 0, 3);
  first.events[1] = std::string("\0\xff binary \0", 11);
  first.events[2].clear();
  REQUIRE(w.apply_one(first).code == errc::none);
  REQUIRE(w.apply_one(w.commit_of(table, 3)).code == errc::none);

  const auto found = w.reader->activate(std::span{&table, 1});
  REQUIRE(found);
  const auto& active = found->front();
  CHECK(active.head == 4);
  CHECK_FALSE(active.snapshot);
  REQUIRE(active.events.size() == 4);
  for (std::size_t i = 0; i < 3; ++i) CHECK(active.events[i].payload == first.events[i]);
  CHECK(active.events[3].seq == 4);
  CHECK(active.events[3].at >= active.events[0].at);
  CHECK(std::abs(active.events[0].at - wall_clock()) < 60'000);
}

TEST_CASE("a sequence that is not the head conflicts and changes nothing", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto table = some_table();
  REQUIRE(w.apply_one(w.commit_of(table, 0, 2)).code == errc::none);
  for (const std::uint64_t wrong : {0u, 1u, 3u, 100u})
    CHECK(w.apply_one(w.commit_of(table, wrong)).code == errc::seq_conflict);
  CHECK(w.apply_one(w.commit_of(some_table(), 1)).code == errc::seq_conflict);
  CHECK(w.head_of(table) == 2);
  CHECK(w.apply_one(w.commit_of(table, 2)).code == errc::none);
  w.require_clean_ledger();
}

TEST_CASE("a bad member is refused alone and the others of its batch commit", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto good = some_table(), bad = some_table(), other = some_table();
  const auto one = w.commit_of(good, 0), two = w.commit_of(bad, 7), three = w.commit_of(other, 0);
  const auto answer = w.apply({&one, &two, &three});
  REQUIRE(answer.code == errc::none);
  REQUIRE(answer.members.size() == 3);
  CHECK(answer.members[0].code == errc::none);
  CHECK(answer.members[1].code == errc::seq_conflict);
  CHECK(answer.members[2].code == errc::none);
  CHECK(w.head_of(good) == 1);
  CHECK(w.head_of(bad) == 0);
  CHECK(w.head_of(other) == 1);
}

TEST_CASE("bad members of every kind are each told why, and leave no trace", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000), poor = new_wallet(w, 5), known = new_wallet(w, 500);
  auto kes = new_wallet(w, 100, currency::kes);
  const auto open = new_match(w), second = new_match(w), closed = new_match(w), full = new_match(w);
  auto close = w.commit_of(closed.entity, 1);
  close.closes.push_back(closed.escrow);
  REQUIRE(w.apply_one(close).code == errc::none);
  auto fill = w.commit_of(known.entity, known.seq);
  fill.transfers.push_back(buy_in(known, full, 100));
  REQUIRE(w.apply_one(fill).code == errc::none);

  auto fine = w.commit_of(rich.entity, rich.seq);
  fine.transfers.push_back(buy_in(rich, open, 200));
  auto overdraws = w.commit_of(poor.entity, poor.seq);
  overdraws.transfers.push_back(buy_in(poor, open, 6));
  auto changed = w.commit_of(known.entity, known.seq + 1);
  changed.transfers.push_back(buy_in(known, full, 101));
  auto empties = w.commit_of(full.entity, full.seq);
  empties.closes.push_back(full.escrow);
  auto mixes = w.commit_of(kes.entity, kes.seq);
  mixes.transfers.push_back(buy_in(kes, second, 1));
  mixes.transfers.back().money = currency::kes;
  auto conflicts = w.commit_of(second.entity, 9);
  auto lost = w.commit_of({entity_kind::house, uuid::v4()}, 0);
  const auto nowhere = uuid::v4();
  lost.transfers.push_back({uuid::v8(open.id, "lost"), house(account_kind::bonus), nowhere, 1,
                            currency::demo, transfer_kind::sweep, open.id});
  auto late = w.commit_of({entity_kind::payment, uuid::v7(wall_clock())}, 0);
  late.transfers.push_back({uuid::v8(closed.id, "late"), house(account_kind::bonus), closed.escrow,
                            1, currency::demo, transfer_kind::sweep, closed.id});

  const auto answer =
      w.apply({&overdraws, &changed, &fine, &empties, &mixes, &conflicts, &lost, &late});
  REQUIRE(answer.code == errc::none);
  REQUIRE(answer.members.size() == 8);
  CHECK(answer.members[0].code == errc::overdraft);
  CHECK(answer.members[1].code == errc::transfer_conflict);
  CHECK(answer.members[2].code == errc::none);
  CHECK(answer.members[3].code == errc::account_not_empty);
  CHECK(answer.members[4].code == errc::currency_mismatch);
  CHECK(answer.members[5].code == errc::seq_conflict);
  CHECK(answer.members[6].code == errc::account_unknown);
  CHECK(answer.members[7].code == errc::account_closed);
  CHECK(w.head_of(rich.entity) == 2);
  CHECK(w.head_of(poor.entity) == 1);
  CHECK(w.head_of(known.entity) == 2);
  CHECK(w.head_of(full.entity) == 1);
  CHECK(w.head_of(lost.entity) == 0);
  CHECK(w.balance_of(rich.account).amount == 800);
  CHECK(w.balance_of(poor.account).amount == 5);
  CHECK(w.balance_of(open.escrow).amount == 200);
  CHECK_FALSE(w.has_transfer(overdraws.transfers[0].id));
  CHECK_FALSE(w.has_transfer(lost.transfers[0].id));
  w.require_clean_ledger();
}

TEST_CASE("a batch made of bad members alone changes nothing", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto one = w.commit_of(some_table(), 4), two = w.commit_of(some_table(), 5);
  const auto answer = w.apply({&one, &two});
  REQUIRE(answer.code == errc::none);
  CHECK(answer.members.at(0).code == errc::seq_conflict);
  CHECK(answer.members.at(1).code == errc::seq_conflict);
}

TEST_CASE("a batch sent again under its own id is found applied and applied once",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000);
  const auto game = new_match(w);
  auto pay = w.commit_of(rich.entity, rich.seq);
  pay.transfers.push_back(buy_in(rich, game, 300));
  const batch work{w.next_id(), {&pay}};
  REQUIRE(w.writer->apply(work).members.at(0).code == errc::none);
  const auto again = w.writer->apply(work);
  REQUIRE(again.code == errc::none);
  CHECK(again.members.at(0).code == errc::none);
  CHECK(w.head_of(rich.entity) == 2);
  CHECK(w.balance_of(rich.account).amount == 700);
  // Under another id the same commit is somebody else's.
  CHECK(w.apply_one(pay).code == errc::seq_conflict);
  CHECK(w.balance_of(rich.account).amount == 700);
}

TEST_CASE("resolve tells the applied members from those that are not there", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  auto rich = new_wallet(w, 1'000);
  const auto game = new_match(w);
  auto pay = w.commit_of(rich.entity, rich.seq);
  pay.transfers.push_back(buy_in(rich, game, 300));
  const auto never = w.commit_of(game.entity, game.seq);
  const auto id = w.next_id();
  REQUIRE(w.writer->apply({id, {&pay}}).members.at(0).code == errc::none);
  const auto told = w.writer->resolve({id, {&pay, &never}});
  REQUIRE(told.code == errc::none);
  CHECK(told.members.at(0).code == errc::none);
  CHECK(told.members.at(1).code == errc::unavailable);
  CHECK(w.head_of(game.entity) == game.seq);
  CHECK(w.apply_one(never).code == errc::none);
}

TEST_CASE("a fenced writer commits nothing, and neither does one opened later", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto table = some_table();
  REQUIRE(w.apply_one(w.commit_of(table, 0)).code == errc::none);
  auto second = w.store->open_writer(w.node, 1);
  REQUIRE(second);
  REQUIRE(w.store->fence(w.node.incarnation));
  const auto late = w.commit_of(table, 1);
  CHECK(w.apply({&late}).code == errc::fenced);
  CHECK((*second)->apply({{w.node.incarnation, 1, 1}, {&late}}).code == errc::fenced);
  CHECK(w.head_of(table) == 1);
}

TEST_CASE("the writers of an incarnation are fenced off when its successor joins",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto table = some_table();
  const auto old = w.node;
  const auto joined = w.store->join(
      {.name = "one", .address = "127.0.0.1", .roles = "game", .writers = 2, .shards = 64});
  REQUIRE(joined);
  CHECK(joined->incarnation > old.incarnation);
  CHECK(joined->epoch > old.epoch);
  const auto stale = w.commit_of(table, 0);
  CHECK(w.apply({&stale}).code == errc::fenced);
  auto fresh = w.store->open_writer(*joined, 0);
  REQUIRE(fresh);
  auto current = stale;
  current.epoch = joined->epoch;
  CHECK((*fresh)->apply({{joined->incarnation, 0, 1}, {&current}}).members.at(0).code ==
        errc::none);
}

TEST_CASE("a commit under another epoch of its shard is stale", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  if (!w.fixture->can().checks_epoch) SKIP("this store leaves the epoch to the journal gate");
  auto stale = w.commit_of(some_table(), 0);
  for (const auto epoch : {w.node.epoch + 1, w.node.epoch - 1}) {
    stale.epoch = epoch;
    CHECK(w.apply_one(stale).code == errc::stale_epoch);
  }
  CHECK(w.head_of(stale.entity) == 0);
}

TEST_CASE("malformed batches and members are invalid", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w);
  const auto table = some_table();
  const auto one = w.commit_of(table, 0), two = w.commit_of(table, 0);
  CHECK(w.apply({&one, &two}).code == errc::invalid);
  CHECK(w.apply({}).code == errc::invalid);
  auto no_event = w.commit_of(table, 0, 0);
  CHECK(w.apply_one(no_event).code == errc::invalid);
  const auto bonus = house(account_kind::bonus), rake = house(account_kind::rake);
  transfer t{uuid::v8(game.id, "x"), bonus, rake, 1, currency::demo, transfer_kind::sweep, game.id};
  auto twice = w.commit_of(table, 0);
  twice.transfers = {t, t};
  CHECK(w.apply({&twice}).code == errc::invalid);
  for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    auto nothing = w.commit_of(table, 0);
    t.amount = amount;
    nothing.transfers = {t};
    CHECK(w.apply_one(nothing).code == errc::invalid);
  }
  auto itself = w.commit_of(table, 0);
  t.amount = 1;
  t.credit = bonus;
  itself.transfers = {t};
  CHECK(w.apply_one(itself).code == errc::invalid);
  CHECK(w.head_of(table) == 0);
  w.require_clean_ledger();
}

TEST_CASE("writers of one node commit side by side without losing anything", "[conformance]") {
  EACH_STORE(kind);
  world w{kind, 4};
  constexpr int batches = 25;
  const auto game = new_match(w);
  std::vector<wallet> wallets;
  for (int i = 0; i < 4; ++i) wallets.push_back(new_wallet(w, batches));
  std::vector<int> failed(4, 0);
  {
    std::vector<std::jthread> threads;
    for (std::uint16_t i = 0; i < 4; ++i)
      threads.emplace_back([&, i] {
        auto mine = w.store->open_writer(w.node, i);
        if (!mine) {
          failed[i] = batches;
          return;
        }
        for (int n = 1; n <= batches; ++n) {  // all four credit one escrow: the hot account
          auto pay = w.commit_of(wallets[i].entity, static_cast<std::uint64_t>(n));
          pay.transfers.push_back(buy_in(wallets[i], game, 1));
          pay.transfers[0].id = uuid::v8(game.id, std::to_string(i) + "/" + std::to_string(n));
          const auto answer = (*mine)->apply(
              {{w.node.incarnation, i, 1000u + static_cast<std::uint64_t>(n)}, {&pay}});
          if (answer.code != errc::none || answer.members[0].code != errc::none) ++failed[i];
        }
      });
  }
  CHECK(failed == std::vector<int>(4, 0));
  CHECK(w.balance_of(game.escrow).amount == 4 * batches);
  w.require_clean_ledger();
}
