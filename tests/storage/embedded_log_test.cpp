// The commit log of the embedded store: what is durable there and not yet, or half, in the tables.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <set>
#include <thread>

#include "storage/embedded/commit_log.hpp"
#include "storage/embedded/sqlite.hpp"
#include "tests/storage/fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t never = 1 << 30;  // bytes of log: nothing is merged while the store is open

struct fixed final : store_fixture {
  fixed(fs::path f, std::size_t m) : folder{std::move(f)}, merge_at{m} {}
  [[nodiscard]] std::string url() const override { return "sqlite:" + folder.string(); }
  [[nodiscard]] capabilities can() const override { return {false, true, false}; }
  [[nodiscard]] open_options options() const override { return {.merge_at_bytes = merge_at}; }
  fs::path folder;
  std::size_t merge_at;
};

fixture_kind in(const fs::path& folder, std::size_t merge_at) {
  return {"embedded", [=] { return std::make_unique<fixed>(folder, merge_at); }};
}

/// The files as a process killed now would leave them.
void copy_as_killed(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::create_directories(to);
  for (const auto* name : {"baraza.db", "baraza.db-wal"})
    fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
}

std::int64_t ask(const fs::path& folder, const std::string& sql) {
  embedded::connection db{(folder / "baraza.db").string(), embedded::access::read, false};
  embedded::statement read{db.handle(), sql};
  REQUIRE(read.run().step());
  return read.integer(0);
}

void change(const fs::path& folder, const char* sql) {
  embedded::connection{(folder / "baraza.db").string(), embedded::access::write, false}.exec(sql);
}

/// A wallet that pays into a match and is paid back, again and again, with all there is to read.
struct scene {
  explicit scene(world& w) : rich{new_wallet(w, 1'000'000)}, game{new_match(w)} {}

  storage::commit next(const world& w) const {
    auto pay = w.commit_of(rich.entity, rich.seq, 1 + paid % 3);
    pay.transfers = {buy_in(rich, game, 2)};
    pay.transfers[0].id = id(paid + 1);
    return pay;
  }
  [[nodiscard]] uuid id(std::uint64_t number) const {
    return uuid::v8(game.id, "buy_in/" + std::to_string(number));
  }
  void applied() {
    rich.seq += 1 + paid % 3;
    ++paid;
  }
  void pay(world& w) {
    const auto answer = w.apply_one(next(w));
    INFO(answer.detail);
    REQUIRE(answer.code == errc::none);
    applied();
  }

  /// Everything that was acknowledged is read, and nothing else.
  void require_all(reader& from) const {
    const auto active = from.activate(std::span{&rich.entity, 1});
    REQUIRE(active);
    REQUIRE(active->front().head == rich.seq);
    REQUIRE(active->front().events.size() == rich.seq);
    for (std::uint64_t seq = 1; seq <= rich.seq; ++seq)
      REQUIRE(active->front().events[seq - 1].seq == seq);
    const auto tail = from.events(rich.entity, rich.seq - 1, 5);
    REQUIRE(tail->size() == 1);
    const std::array<account_id, 2> both{rich.account, game.escrow};
    const auto held = from.balances(both);
    REQUIRE(held->size() == 2);
    REQUIRE(held->at(0).amount == 1'000'000 - 2 * static_cast<std::int64_t>(paid));
    REQUIRE(held->at(1).amount == 2 * static_cast<std::int64_t>(paid));
    REQUIRE(held->at(0).version == 1 + paid);
    std::vector<uuid> ids;
    for (std::uint64_t i = 1; i <= paid + 1; ++i) ids.push_back(id(i));
    REQUIRE(from.transfers(ids)->size() == paid);
    REQUIRE(from.transfers_of(game.escrow, game.id)->size() == paid);
    require_history(from);
  }

  void require_history(reader& from) const {
    std::set<uuid> seen;
    std::optional<uuid> before;
    for (;;) {
      const auto page = from.history(rich.player, currency::demo, before, 7);
      REQUIRE(page);
      for (const auto& row : *page) {
        REQUIRE((!before || row.what.id < *before));
        before = row.what.id;
        REQUIRE(seen.insert(row.what.id).second);
      }
      if (page->size() < 7) break;
    }
    REQUIRE(seen.size() == paid + 1);  // and the grant
  }

  wallet rich;
  match game;
  std::uint64_t paid = 0;
};

void require_all_read_only(const fs::path& folder, const scene& s) {
  const auto store = open("sqlite:" + folder.string(), {.read_only = true});
  REQUIRE(store);
  s.require_all(**(*store)->open_reader());
  const auto report = (*store)->verify();
  REQUIRE(report);
  INFO(report->first_violation);
  REQUIRE(report->clean);
  REQUIRE(report->transfers == s.paid + 1);
  REQUIRE(report->journal_events == s.rich.seq + 1);
}

}  // namespace

TEST_CASE("whatever moment the process dies at, the log and what is merged of it make the whole",
          "[embedded][log]") {
  // Short enough that slices of a merge end everywhere: in journal, transfers, history, accounts.
  const auto merge_at = GENERATE(std::size_t{300}, std::size_t{900}, std::size_t{5'000}, never);
  CAPTURE(merge_at);
  const temporary_folder folder, grave;
  const auto live = folder.path() / "live", dead = grave.path() / "dead";
  world w{in(live, merge_at)};
  scene s{w};
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    s.pay(w);
    s.require_all(*w.reader);
    copy_as_killed(live, dead);
    require_all_read_only(dead, s);
    if (round % 5 != 0) continue;
    // The successor goes on, dies as well, and the next one finds it all.
    auto after = s;
    const auto heir = grave.path() / "heir";
    {
      world next{in(dead, merge_at)};
      after.require_all(*next.reader);
      for (int i = 0; i < 4; ++i) after.pay(next);
      copy_as_killed(dead, heir);
    }
    require_all_read_only(dead, after);  // closed in order
    require_all_read_only(heir, after);
    world last{in(heir, merge_at)};
    last.require_clean_ledger();
    after.pay(last);
    after.require_all(*last.reader);
  }
}

TEST_CASE("a store that was closed in order has an empty log", "[embedded][log]") {
  const temporary_folder folder;
  {
    world w{in(folder.path(), never)};
    scene s{w};
    s.pay(w);
    CHECK(ask(folder.path(), "SELECT count(*) FROM log") == 3);
    CHECK(ask(folder.path(), "SELECT count(*) FROM transfer") == 0);
  }
  CHECK(ask(folder.path(), "SELECT count(*) FROM log") == 0);
  CHECK(ask(folder.path(), "SELECT count(*) FROM transfer") == 2);
  CHECK(ask(folder.path(), "SELECT log_end FROM store") == 3);
}

TEST_CASE("every refusal is decided against the log as against the tables", "[embedded][log]") {
  const auto merge_at = GENERATE(std::size_t{1}, std::size_t{1'500}, never);
  CAPTURE(merge_at);
  const temporary_folder folder;
  world w{in(folder.path(), merge_at)};
  scene s{w};
  for (int i = 0; i < 20; ++i) {
    CAPTURE(i);
    s.pay(w);
    auto again = s.next(w);
    again.transfers[0].id = s.id(1 + s.paid / 2);  // one that is there
    const auto same = w.apply_one(again);
    REQUIRE(same.code == errc::none);
    CHECK(same.existing_transfers == 1);
    s.rich.seq += again.events.size();
    again.expected_seq = s.rich.seq;
    again.transfers[0].amount = 3;
    CHECK(w.apply_one(again).code == errc::transfer_conflict);
    auto poor = s.next(w);
    poor.transfers[0].amount = 1'000'000;
    CHECK(w.apply_one(poor).code == errc::overdraft);
    auto stale = s.next(w);
    --stale.expected_seq;
    CHECK(w.apply_one(stale).code == errc::seq_conflict);
    stale.expected_seq += 2;
    CHECK(w.apply_one(stale).code == errc::seq_conflict);
  }
  auto closing = w.commit_of(s.game.entity, 1);
  closing.closes = {s.game.escrow};
  CHECK(w.apply_one(closing).code == errc::account_not_empty);
  closing.transfers = {payout(s.game, s.rich, 40)};
  CHECK(w.apply_one(closing).code == errc::none);
  CHECK(w.apply_one(s.next(w)).code == errc::account_closed);
  w.require_clean_ledger();
}

TEST_CASE(
    "a batch whose answer was lost is found in the log, in a half merged one and in the tables",
    "[embedded][log]") {
  const auto merge_at = GENERATE(std::size_t{1}, std::size_t{700}, never);
  const temporary_folder folder;
  world w{in(folder.path(), merge_at)};
  scene s{w};
  for (int i = 0; i < 12; ++i) {
    const auto pay = s.next(w);
    const batch work{w.next_id(), {&pay}};
    REQUIRE(w.writer->apply(work).code == errc::none);
    for (const auto& answer : {w.writer->resolve(work), w.writer->apply(work)}) {
      REQUIRE(answer.code == errc::none);
      CHECK(answer.members.at(0).code == errc::none);
      CHECK(answer.members.at(0).balances.size() == 2);
    }
    const auto before = s.next(w);
    const batch missing{w.next_id(), {&before}};
    CHECK(w.writer->resolve(missing).members.at(0).code == errc::unavailable);
    s.applied();
    const auto next = s.next(w);
    const batch unsent{w.next_id(), {&next}};
    CHECK(w.writer->resolve(unsent).members.at(0).code == errc::unavailable);
    s.require_all(*w.reader);
  }
}

TEST_CASE("a migration down takes the log along, and up again the history", "[embedded][log]") {
  const auto merge_at = GENERATE(std::size_t{900}, never);
  const temporary_folder folder;
  world w{in(folder.path(), merge_at)};
  scene s{w};
  for (int i = 0; i < 15; ++i) s.pay(w);
  REQUIRE(w.store->migrate(1));
  const auto tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('log','history')";
  CHECK(ask(folder.path(), tables) == 0);
  CHECK(ask(folder.path(), "SELECT count(*) FROM transfer") == 16);
  CHECK(ask(folder.path(), "SELECT count(*) FROM journal") ==
        static_cast<std::int64_t>(s.rich.seq) + 1);
  CHECK(ask(folder.path(), "SELECT sum(balance) FROM account WHERE kind<=3") == 1'000'000);
  CHECK(w.reader->events(s.rich.entity, 0, 10).why().code == errc::unavailable);
  const auto pay = s.next(w);
  CHECK(w.apply({&pay}).code == errc::unavailable);
  REQUIRE(w.store->migrate(2));
  CHECK(ask(folder.path(), tables) == 2);
  w.restart();
  s.require_all(*w.reader);
  s.pay(w);
  s.require_all(*w.reader);
  w.require_clean_ledger();
}

TEST_CASE("who reads beside the writer sees whole commits, and never less than before",
          "[embedded][log]") {
  const auto merge_at = GENERATE(std::size_t{300}, std::size_t{4'000});
  const temporary_folder folder;
  world w{in(folder.path(), merge_at)};
  scene s{w};
  const auto outside = open("sqlite:" + folder.path().string(), {.read_only = true});
  REQUIRE(outside);
  std::atomic<bool> stop{false};
  std::atomic<bool> failed{false};
  std::array<std::string, 2> trouble;  // read when the threads have ended
  std::array<std::atomic<int>, 2> rounds{};
  const auto watch = [&](reader& from, std::size_t index) {
    std::uint64_t head = 0;
    const std::array<account_id, 2> both{s.rich.account, s.game.escrow};
    for (; !stop && trouble[index].empty(); ++rounds[index]) {
      const auto held = from.balances(both);
      const auto active = from.activate(std::span{&s.rich.entity, 1});
      if (!held || !active) {
        trouble[index] = held ? active.why().message : held.why().message;
        break;
      }
      const auto& wallet = active->front();
      if (held->at(0).amount + held->at(1).amount != 1'000'000) trouble[index] = "a sum differs";
      if (wallet.head < head) trouble[index] = "a head went back";
      if (wallet.events.size() != wallet.head) trouble[index] = "a gap";
      head = wallet.head;
    }
    if (!trouble[index].empty()) failed = true;
  };
  const auto beyond = (*outside)->open_reader();
  REQUIRE(beyond);
  std::thread inside_watcher{[&] { watch(*w.reader, 0); }};
  std::thread outside_watcher{[&] { watch(**beyond, 1); }};
  constexpr int rounds_wanted = 50, commits_max = 2'000;
  const auto go_on = [&] {
    return s.paid < 100 || rounds[0] < rounds_wanted || rounds[1] < rounds_wanted;
  };
  while (go_on() && s.paid < commits_max && !failed) s.pay(w);
  stop = true;
  inside_watcher.join();
  outside_watcher.join();
  CHECK(trouble[0] == "");
  CHECK(trouble[1] == "");
  CHECK(rounds[0] >= rounds_wanted);
  CHECK(rounds[1] >= rounds_wanted);
}

TEST_CASE("a reader that SQLite shows a commit too early waits until it is published",
          "[embedded][log]") {
  const temporary_folder folder;
  REQUIRE((*open("sqlite:" + folder.path().string()))->migrate(schema_newest));
  const auto file = (folder.path() / "baraza.db").string();
  embedded::connection writing{file, embedded::access::write, false};
  embedded::commit_log log{writing, never};
  storage::commit first;
  first.entity = {entity_kind::table, uuid::v4()};
  first.events = {"first"};
  embedded::log_packer packer;
  packer.begin({});
  packer.member(first, {});
  embedded::transaction change{writing, embedded::access::write};
  log.append({packer.take()}, 0, embedded::commit_log::merging::yes);
  change.commit();
  auto seen = std::async(std::launch::async, [&] {
    embedded::connection reading{file, embedded::access::read, false};
    embedded::statement newest{reading.handle(), "SELECT max(position) FROM log"};
    embedded::overlay none;
    const embedded::log_snapshot moment{reading, &log, none, newest};
    return moment.log().seqs(first.entity).has_value();
  });
  CHECK(seen.wait_for(std::chrono::milliseconds{100}) == std::future_status::timeout);
  log.committed();
  CHECK(seen.get());
}

TEST_CASE("verify looks into the log", "[embedded][log]") {
  const temporary_folder folder, grave;
  const auto live = folder.path() / "live", dead = grave.path() / "dead";
  world w{in(live, never)};
  scene s{w};
  for (int i = 0; i < 3; ++i) s.pay(w);
  copy_as_killed(live, dead);
  require_all_read_only(dead, s);
  struct damage {
    const char* sql;
    const char* told;
  };
  const damage each = GENERATE(
      damage{"DELETE FROM log WHERE position=1", "is missing"},
      damage{"DELETE FROM log WHERE position=4", "jumps"},
      damage{"UPDATE log SET body=substr(body,1,length(body)-1) WHERE position=2", "cut short"},
      damage{"UPDATE log SET body=x'09' WHERE position=2", "format"},
      damage{"UPDATE log SET body=(SELECT body FROM log WHERE position=5) WHERE position=3",
             "jumps"});
  CAPTURE(each.sql);
  change(dead, each.sql);
  const auto report = (*open("sqlite:" + dead.string(), {.read_only = true}))->verify();
  if (report) CHECK_FALSE(report->clean);
  const auto told = report ? report->first_violation : report.why().message;
  CAPTURE(told);
  CHECK(told.find(each.told) != std::string::npos);
}
