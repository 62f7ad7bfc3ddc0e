#include "tests/storage/fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

#include <catch2/catch_test_macros.hpp>

namespace baraza::tests {
namespace {

using namespace storage;

std::vector<fixture_kind>& registry() {
  static std::vector<fixture_kind> kinds;
  return kinds;
}

}  // namespace

register_fixture::register_fixture(std::string name,
                                   std::function<std::unique_ptr<store_fixture>()> make) {
  registry().push_back({std::move(name), std::move(make)});
}

std::vector<fixture_kind> fixture_kinds() {
  const char* wanted = std::getenv("BARAZA_TEST_STORE");
  std::vector<fixture_kind> kinds;
  for (const auto& kind : registry())
    if (!wanted || kind.name == wanted) kinds.push_back(kind);
  return kinds;
}

world::world(const fixture_kind& kind, std::uint16_t writers)
    : fixture{kind.make()}, writers_{writers} {
  {
    auto opened = storage::open(fixture->url(), fixture->options());
    if (!opened) FAIL(opened.why().message);
    store = std::move(*opened);
  }
  const auto migrated = store->migrate(schema_newest);
  if (!migrated) FAIL(migrated.why().message);
  open();
}

void world::open() {
  const auto maintained = store->maintain(wall_clock());
  if (!maintained) FAIL(maintained.why().message);
  const auto joined = store->join(
      {.name = "one", .address = "127.0.0.1", .roles = "game", .writers = writers_, .shards = 64});
  if (!joined) FAIL(joined.why().message);
  node = *joined;
  auto w = store->open_writer(node, 0);
  if (!w) FAIL(w.why().message);
  writer = std::move(*w);
  auto r = store->open_reader();
  if (!r) FAIL(r.why().message);
  reader = std::move(*r);
}

void world::restart() {
  reader.reset();
  writer.reset();
  store.reset();
  auto opened = storage::open(fixture->url(), fixture->options());
  if (!opened) FAIL(opened.why().message);
  store = std::move(*opened);
  open();
}

commit world::commit_of(const entity_id& entity, std::uint64_t expected_seq,
                        std::size_t events) const {
  commit made;
  made.entity = entity;
  made.shard = shard_of(entity, 64);
  made.epoch = node.epoch;
  made.expected_seq = expected_seq;
  for (std::size_t i = 1; i <= events; ++i)
    made.events.push_back("event " + std::to_string(expected_seq + i));
  return made;
}

batch_id world::next_id() { return {node.incarnation, 0, ++batches_}; }

batch_result world::apply(const std::vector<const commit*>& members) {
  return writer->apply({next_id(), members});
}

batch_result world::apply(std::initializer_list<const commit*> members) {
  return apply(std::vector<const commit*>{members});
}

member_result world::apply_one(const commit& member) {
  auto answer = apply({&member});
  INFO(answer.detail);
  REQUIRE(answer.code == errc::none);
  REQUIRE(answer.members.size() == 1);
  return answer.members.front();
}

balance world::balance_of(const account_id& account) const {
  const auto found = reader->balances(std::span{&account, 1});
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  return found->front();
}

bool world::has_account(const account_id& account) const {
  const auto found = reader->balances(std::span{&account, 1});
  REQUIRE(found);
  return !found->empty();
}

std::uint64_t world::head_of(const entity_id& entity) const {
  const auto found = reader->activate(std::span{&entity, 1});
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  return found->front().head;
}

bool world::has_transfer(const uuid& id) const {
  const auto found = reader->transfers(std::span{&id, 1});
  REQUIRE(found);
  return !found->empty();
}

void world::require_clean_ledger() const {
  const auto report = store->verify();
  if (!report) FAIL(report.why().message);
  INFO(report->first_violation);
  REQUIRE(report->clean);
}

wallet new_wallet(world& w, std::int64_t funds, currency money, const uuid& player) {
  wallet made{player, {entity_kind::wallet, player}, player_account(player, money), 0};
  auto open = w.commit_of(made.entity, 0);
  open.opens.push_back({made.account, account_kind::player, money, player});
  const auto grant = uuid::v7(wall_clock());
  if (funds > 0)
    open.transfers.push_back({uuid::v8(grant, "grant"), house(account_kind::bonus, money),
                              made.account, funds, money, transfer_kind::grant, grant});
  const auto answer = w.apply_one(open);
  INFO(answer.detail);
  REQUIRE(answer.code == errc::none);
  made.seq = 1;
  return made;
}

match new_match(world& w, currency money) {
  const auto id = uuid::v7(wall_clock());
  match made{id, {entity_kind::table, id}, escrow_account(id, money), 0};
  auto open = w.commit_of(made.entity, 0);
  open.opens.push_back({made.escrow, account_kind::escrow, money, id});
  open.wake = commit::wake_change::set;  // as every table does with its first commit
  open.wake_at = wall_clock() + 86'400'000;
  const auto answer = w.apply_one(open);
  INFO(answer.detail);
  REQUIRE(answer.code == errc::none);
  made.seq = 1;
  return made;
}

transfer buy_in(const wallet& from, const match& to, std::int64_t amount) {
  return {uuid::v8(to.id, "buy_in/" + from.player.to_string()),
          from.account,
          to.escrow,
          amount,
          currency::demo,
          transfer_kind::buy_in,
          to.id};
}

transfer payout(const match& from, const wallet& to, std::int64_t amount) {
  return {uuid::v8(from.id, "payout/" + to.player.to_string()),
          from.escrow,
          to.account,
          amount,
          currency::demo,
          transfer_kind::payout,
          from.id};
}

account_id house(account_kind kind, currency money) { return system_account(kind, money, 0); }

bool is_same(const storage::activation& a, const storage::activation& b) {
  const auto is_event = [](const auto& x, const auto& y) {
    return x.seq == y.seq && x.at == y.at && x.payload == y.payload;
  };
  return a.entity == b.entity && a.head == b.head && a.snapshot == b.snapshot &&
         a.snapshot_seq == b.snapshot_seq && a.attempts == b.attempts &&
         std::ranges::equal(a.events, b.events, is_event);
}

millis wall_clock() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t test_seed() {
  if (const char* given = std::getenv("BARAZA_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device{}();
}

}  // namespace baraza::tests
