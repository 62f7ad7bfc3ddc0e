// What only the embedded store has: its folder, its lock, its file, a disk that fills up.
#include <sqlite3.h>

#include <fstream>
#include <memory>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

fixture_kind on_url(std::string url) {
  struct fixed final : store_fixture {
    explicit fixed(std::string u) : where{std::move(u)} {}
    [[nodiscard]] std::string url() const override { return where; }
    [[nodiscard]] capabilities can() const override { return {false, true, false}; }
    std::string where;
  };
  return {"embedded", [url] { return std::make_unique<fixed>(url); }};
}

/// Changes the file behind the store's back, as a bug or a hand would.
void tamper(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  char* message = nullptr;
  const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message);
  INFO((message ? message : ""));
  REQUIRE(code == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_CASE("a second serving open of a data folder is refused with the holder's number",
          "[embedded]") {
  const temporary_folder folder;
  const auto url = "sqlite:" + folder.path().string();
  auto first = open(url);
  REQUIRE(first);
  const auto second = open(url);
  REQUIRE_FALSE(second);
  CHECK(second.why().code == errc::unavailable);
  CHECK(second.why().message.find("in use by process " + std::to_string(::getpid())) !=
        std::string::npos);
  // The same file by its own name meets the same lock.
  CHECK_FALSE(open(url + "/baraza.db"));
  *first = nullptr;
  CHECK(open(url));
}

TEST_CASE("a reading open needs no lock, sees new commits and writes nothing", "[embedded]") {
  const temporary_folder folder;
  const auto url = "sqlite:" + folder.path().string();
  const auto nothing = open(url, {.read_only = true});
  REQUIRE_FALSE(nothing);
  CHECK(nothing.why().code == errc::not_found);
  CHECK(std::filesystem::is_empty(folder.path()));

  world w{on_url(url)};
  auto rich = new_wallet(w, 10);
  const auto reading = open(url, {.read_only = true});
  REQUIRE(reading);
  auto reader = (*reading)->open_reader();
  REQUIRE(reader);
  CHECK((*reader)->balances(std::span{&rich.account, 1})->at(0).amount == 10);
  REQUIRE(w.apply_one(w.commit_of(rich.entity, 1)).code == errc::none);
  CHECK((*reader)->activate(std::span{&rich.entity, 1})->at(0).head == 2);
  CHECK((*reading)->verify()->clean);
  CHECK_FALSE((*reading)->join({.name = "x", .address = "", .roles = ""}));
  CHECK_FALSE((*reading)->migrate(0));
  CHECK_FALSE((*reading)->fence(w.node.incarnation));
  CHECK_FALSE((*reading)->record_incident({}));
  CHECK_FALSE((*reading)->open_identity()->end_session(uuid{}));
  CHECK_FALSE((*reading)->open_writer(w.node, 0));
}

TEST_CASE("a file that is no store is refused", "[embedded]") {
  const temporary_folder folder;
  const auto file = folder.path() / "baraza.db";
  std::ofstream{file} << std::string(8192, 'x');
  for (const bool read_only : {false, true}) {
    const auto opened = open("sqlite:" + file.string(), {.read_only = read_only});
    REQUIRE_FALSE(opened);
    CHECK(opened.why().code == errc::corrupt);
  }
}

TEST_CASE("verify names the first thing that is wrong", "[embedded]") {
  const temporary_folder folder;
  const auto url = "sqlite:" + folder.path().string();
  {
    world w{on_url(url)};
    auto one = new_wallet(w, 100), two = new_wallet(w, 100);
    const auto game = new_match(w);
    auto in = w.commit_of(one.entity, 1);
    in.transfers = {buy_in(one, game, 10)};
    auto also = w.commit_of(two.entity, 1);
    also.transfers = {buy_in(two, game, 10)};
    REQUIRE(w.apply({&in, &also}).code == errc::none);
    auto settle = w.commit_of(game.entity, 1, 2);
    settle.transfers = {payout(game, one, 10), payout(game, two, 10)};
    settle.closes = {game.escrow};
    REQUIRE(w.apply_one(settle).code == errc::none);
    w.require_clean_ledger();
    const auto report = w.store->verify();
    CHECK(report->transfers == 6);
    CHECK(report->matches == 1);
    CHECK(report->journal_events == 7);
    CHECK(report->accounts == 160 + 3);
  }
  struct damage {
    const char* sql;
    const char* told;
  };
  const damage each = GENERATE(
      damage{"UPDATE account SET balance=balance+1 WHERE kind=1", "its transfers make"},
      damage{"UPDATE account SET balance=-5 WHERE kind=2", "its transfers make"},
      damage{"UPDATE transfer SET amount=amount+1 WHERE kind=1", "its transfers make"},
      damage{"DELETE FROM transfer WHERE position=3", "position 3 is missing"},
      damage{
          "DELETE FROM journal WHERE seq=2 AND entity IN (SELECT entity FROM journal WHERE seq=3)",
          "lacks seq 2"},
      damage{"DELETE FROM account WHERE kind=2", "does not exist"},
      damage{"UPDATE transfer SET currency=2 WHERE kind=1 AND position=3", "second currency"},
      damage{"UPDATE transfer SET entity_seq=9 WHERE position=6", "settled twice"},
      damage{
          "UPDATE transfer SET amount=11 WHERE kind=4;"
          "UPDATE account SET balance=11 WHERE kind=2; UPDATE account SET balance=89 WHERE kind=1",
          "its transfers"});
  CAPTURE(each.sql);
  tamper(folder.path() / "baraza.db", each.sql);
  const auto opened = open(url, {.read_only = true});
  REQUIRE(opened);
  const auto report = (*opened)->verify();
  REQUIRE(report);
  CHECK_FALSE(report->clean);
  INFO(report->first_violation);
  CHECK(report->first_violation.find(each.told) != std::string::npos);
}

TEST_CASE("a ledger that adds up may still break a floor or hold money in a closed escrow",
          "[embedded]") {
  const temporary_folder folder;
  const auto url = "sqlite:" + folder.path().string();
  {
    world w{on_url(url)};
    auto one = new_wallet(w, 100);
    const auto game = new_match(w);
    auto in = w.commit_of(one.entity, 1);
    in.transfers = {buy_in(one, game, 10)};
    REQUIRE(w.apply_one(in).code == errc::none);
  }
  SECTION("closed escrow") {
    tamper(folder.path() / "baraza.db", "UPDATE account SET closed=1 WHERE kind=2");
    const auto report = (*open(url, {.read_only = true}))->verify();
    CHECK(report->first_violation.find("is closed and holds 10") != std::string::npos);
  }
  SECTION("floor") {
    tamper(
        folder.path() / "baraza.db",
        "UPDATE transfer SET amount=101 WHERE kind=1; UPDATE account SET balance=101 WHERE kind=2;"
        "UPDATE account SET balance=-1 WHERE kind=1");
    const auto report = (*open(url, {.read_only = true}))->verify();
    CHECK(report->first_violation.find("below zero") != std::string::npos);
  }
}
