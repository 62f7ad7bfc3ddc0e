// Setting up: migrations both ways, what an empty or foreign store answers, joining.
#include <catch2/catch_test_macros.hpp>
#include <future>

#include "storage/commands.hpp"
#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

TEST_CASE("migrations lead up, down to nothing, and up again", "[conformance]") {
  EACH_STORE(kind);
  const auto fixture = kind.make();
  auto opened = open(fixture->url());
  REQUIRE(opened);
  auto& store = **opened;
  auto state = store.migrations();
  REQUIRE(state);
  CHECK(state->schema == 0);
  CHECK(state->newest == schema_newest);
  for (int round = 0; round < 2; ++round) {
    REQUIRE(store.migrate(schema_newest));
    REQUIRE(store.migrate(schema_newest));  // nothing to do
    state = store.migrations();
    CHECK(state->schema == schema_newest);
    CHECK(state->oldest_level >= 1);
    CHECK(state->oldest_level <= schema_newest);
    CHECK(store.verify()->clean);
    REQUIRE(store.migrate(0));
    CHECK(store.migrations()->schema == 0);
  }
  CHECK_FALSE(store.migrate(schema_newest + 1));
  CHECK_FALSE(store.migrate(-1));
}

TEST_CASE("an empty store serves nobody and says what to run", "[conformance]") {
  EACH_STORE(kind);
  const auto fixture = kind.make();
  auto opened = open(fixture->url());
  REQUIRE(opened);
  const auto joined = (*opened)->join({.name = "one", .address = "", .roles = ""});
  REQUIRE_FALSE(joined);
  CHECK(joined.why().code == errc::incompatible);
  CHECK(joined.why().message.find("migrate up") != std::string::npos);
  CHECK((*opened)->open_reader().why().code == errc::incompatible);
}

TEST_CASE("the number of shards is fixed by the first node", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  w.writer.reset();
  const auto other = w.store->join(
      {.name = "one", .address = "127.0.0.1", .roles = "game", .writers = 2, .shards = 128});
  REQUIRE_FALSE(other);
  CHECK(other.why().code == errc::incompatible);
}

TEST_CASE("a joiner is told that an incarnation before it died, and blames nobody for it",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w);
  auto set = w.commit_of(game.entity, 1);
  set.wake = commit::wake_change::set;
  set.wake_at = 1'000;
  REQUIRE(w.apply_one(set).code == errc::none);
  CHECK_FALSE(w.node.predecessor_died);  // there was none
  w.restart();                           // without fence(): it died
  CHECK(w.node.predecessor_died);
  CHECK(w.reader->wakes(0, 63, 1'000, 1)->at(0).attempts == 0);
  REQUIRE(w.store->fence(w.node.incarnation));
  w.restart();
  CHECK_FALSE(w.node.predecessor_died);
}

TEST_CASE("attempts are counted for those named alone, and only on word forgotten",
          "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w), other = new_match(w), without = new_match(w);
  for (const auto* each : {&game, &other}) {
    auto set = w.commit_of(each->entity, 1);
    set.wake = commit::wake_change::set;
    set.wake_at = 1'000;
    REQUIRE(w.apply_one(set).code == errc::none);
  }
  const auto of_wake = [&](const entity_id& who) -> int {
    const auto rows = w.reader->wakes(0, 63, 1'000, 10);
    for (const auto& row : *rows)
      if (row.entity == who) return static_cast<int>(row.attempts);
    return -1;
  };
  const std::vector<entity_id> all{game.entity, other.entity, without.entity};
  const auto loaded = [&] {
    std::vector<std::uint32_t> out;
    const auto rows = w.reader->activate(all);
    for (const auto& row : *rows) {
      out.push_back(row.attempts);
      CHECK(is_same(w.reader->activate(std::span{&row.entity, 1})->at(0), row));
    }
    return out;
  };
  const std::vector<entity_id> named{game.entity, without.entity};
  REQUIRE(w.store->count_attempt(named, strike::load));
  REQUIRE(w.store->count_attempt(named, strike::load));
  REQUIRE(w.store->count_attempt(std::span{named}.first(1), strike::hold));
  CHECK(w.store->count_attempt({}, strike::load));
  CHECK(of_wake(game.entity) == 2);  // one of its loads ended in this hold: one death, one strike
  CHECK(of_wake(other.entity) == 0);
  CHECK(of_wake(without.entity) == -1);
  CHECK(loaded() == std::vector<std::uint32_t>{2, 0, 2});  // also of one without a wake-up
  CHECK(w.reader->activate(all)->at(0).head == 2);         // and its journal is read as before

  REQUIRE(w.store->forget_attempts(named, strike::load));
  CHECK(loaded() == std::vector<std::uint32_t>{1, 0, 0});
  auto progress = w.commit_of(game.entity, 2);
  progress.wake = commit::wake_change::set;
  progress.wake_at = 1'000;
  REQUIRE(w.apply_one(progress).code == errc::none);
  CHECK(of_wake(game.entity) == 1);  // who sets a clock and then holds its thread again is known
  REQUIRE(w.store->count_attempt(std::span{named}.first(1), strike::hold));
  CHECK(loaded() == std::vector<std::uint32_t>{2, 0, 0});  // no load was left to take back
  REQUIRE(w.store->forget_attempts(named, strike::hold));
  CHECK(loaded() == std::vector<std::uint32_t>{0, 0, 0});
}

TEST_CASE("strikes that are counted at the same time are all counted", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  const auto game = new_match(w);
  constexpr int threads = 4, each = 15;
  std::vector<std::future<bool>> all;
  for (int t = 0; t < threads; ++t)
    all.push_back(std::async(std::launch::async, [&] {
      bool is_done = true;
      for (int i = 0; i < each; ++i)
        is_done = w.store->count_attempt({&game.entity, 1}, strike::load) && is_done;
      return is_done;
    }));
  for (auto& one : all) CHECK(one.get());
  const auto rows = w.reader->activate(std::vector<entity_id>{game.entity});
  REQUIRE(rows);
  CHECK(rows->at(0).attempts == threads * each);
}

TEST_CASE("a store keeps to the cluster key that was said first", "[conformance]") {
  EACH_STORE(kind);
  world w{kind};
  for (const auto* bad : {"", "two words", "new\nline"})
    CHECK(w.store->claim_key(bad).why().code == errc::invalid);
  CHECK(w.store->claim_key(std::string(65, 'a')).why().code == errc::invalid);
  REQUIRE(w.store->claim_key("0123abcd"));
  REQUIRE(w.store->claim_key("0123abcd"));
  CHECK(w.store->claim_key("0123abce").why().code == errc::incompatible);
  w.restart();
  CHECK(w.store->claim_key("0123abce").why().code == errc::incompatible);
  CHECK(w.store->claim_key("0123abcd"));
}

TEST_CASE("a store URL of no known kind is invalid and is not repeated", "[conformance]") {
  for (const auto* url : {"", "sqlite:", "mysql://root:secret@host/db", "/tmp/x"}) {
    const auto opened = open(url);
    REQUIRE_FALSE(opened);
    CHECK(opened.why().code == errc::invalid);
    CHECK(opened.why().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("the commands answer with exit codes", "[conformance][commands]") {
  EACH_STORE(kind);
  const auto fixture = kind.make();
  const auto url = fixture->url();
  CHECK(migrate(url, "sideways", std::nullopt, false) == 2);
  CHECK(migrate(url, "up", schema_newest + 1, false) == 2);
  CHECK(migrate(url, "up", std::nullopt, true) == 0);
  CHECK(migrate(url, "status", std::nullopt, true) == 0);
  CHECK(ledger_verify(url, true) == 0);
  if (schema_newest == 1)
    CHECK(migrate(url, "down", std::nullopt, false) == 2);  // needs its target
  CHECK(migrate(url, "down", 0, false) == 0);
  CHECK(ledger_verify(url, false) == 2);
  CHECK(ledger_verify("sqlite:/nonexistent/nowhere.db", false) == 2);
}
