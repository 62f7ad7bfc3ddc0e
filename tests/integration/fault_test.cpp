// A table that fails while a match is played at it: thrown at, failing an assertion, unable to fold
// its journal, holding its thread. The real binary, players over real sockets. Test builds only.
#include <catch2/catch_test_macros.hpp>
#include <csignal>

#ifdef BARAZA_TEST_COMMANDS

#include "tests/http/raw_client.hpp"
#include "tests/integration/duel.hpp"
#include "tests/integration/real_server.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace std::chrono_literals;
using baraza::tests::duel;
using baraza::tests::real_server;
using http::tests::raw_client;

namespace {

constexpr std::int64_t grant = 100'000;  // of a new wallet

/// The first node that a match of its own is played on, some cards into it.
struct played {
  real_server at;
  std::unique_ptr<duel> match;

  played() {
    at.start();
    match = std::make_unique<duel>(at.url());
    REQUIRE(match->until([&] { return match->is_playing(); }));
    match->may_draw(true);
    REQUIRE(match->until([&] { return match->cards() >= 2 || match->is_over(); }));
    match->may_draw(false);
    REQUIRE_FALSE(match->is_over());
  }

  void fail(const std::string& how) {
    const auto answer = raw_client{at.admin_port()}.ask(http::tests::post(
        "/admin/v1/debug/fault?table=" + match->table().to_string() + "&fault=" + how, ""));
    INFO(answer.body);
    REQUIRE(answer.status == 202);
  }
  std::uint64_t metric(const std::string& name) {
    const auto text = raw_client{at.admin_port()}.ask(http::tests::get("/metrics")).body;
    const auto found = text.find("\n" + name + " ");
    REQUIRE(found != std::string::npos);
    return std::stoull(text.substr(found + name.size() + 2));
  }
  /// The players draw their cards, the match ends as if nothing had been, the ledger is clean.
  void play_on(const uuid& table) {
    match->may_draw(true);
    REQUIRE(match->until([&] { return match->is_over(); }));
    INFO(at.output());
    CHECK(match->table() == table);
    CHECK(match->end() == "ended won");
    const auto [one, two] = match->money();
    CHECK(one != two);             // a best of seven has a winner
    CHECK(one + two < 2 * grant);  // and the house its rake
    verify();
  }
  void verify() const {
    const auto [code, said] = at.run({"ledger", "verify", "--data", at.data()});
    INFO(said);
    CHECK(code == 0);
  }
};

}  // namespace

TEST_CASE("a table that throws or fails an assertion comes back and the match is played to its end",
          "[serve][fault]") {
  for (const auto* how : {"throw", "assert"}) {
    CAPTURE(how);
    played p;
    const auto table = p.match->table();
    const auto before = p.metric("baraza_entity_crashes_total");
    p.fail(how);
    REQUIRE(p.match->until([&] { return p.metric("baraza_entity_crashes_total") == before + 1; }));
    CHECK(p.match->is_playing());
    p.play_on(table);
    CHECK(p.metric("baraza_voids_total") == 0);
  }
}

TEST_CASE("a table that cannot fold its journal is voided and the stakes go back",
          "[serve][fault]") {
  played p;
  CHECK(p.match->money() == std::array<std::int64_t, 2>{grant - 500, grant - 500});
  p.fail("cannot_fold");
  REQUIRE(p.match->until([&] { return p.match->is_over(); }));
  CHECK(p.match->end().starts_with("voided"));
  CHECK(p.match->money() == std::array<std::int64_t, 2>{grant, grant});
  CHECK(p.metric("baraza_voids_total") == 1);
  p.verify();
}

TEST_CASE(
    "a table that holds its thread ends the node after 5 s, and the match goes on after a "
    "restart",
    "[serve][fault]") {
  played p;
  const auto table = p.match->table();
  const auto begin = std::chrono::steady_clock::now();
  p.fail("hold");
  REQUIRE(p.match->until([&] { return !p.at.process().is_running(); }));
  const auto held = std::chrono::steady_clock::now() - begin;
  CHECK(held >= 5s);
  CHECK(held < tests::slowness * 15s);  // a busy machine is slow
  CHECK(p.at.process().wait(0ms) == 70);
  CHECK(p.at.output().find("held its thread for more than 5 s") != std::string::npos);
  p.at.start();
  p.play_on(table);
}

namespace {

/// The third death was the match's last: it is void, and its neighbours play on.
void only_the_culprit_ends(played& p, duel& neighbours) {
  REQUIRE(p.match->until([&] { return p.match->is_over(); }));
  INFO(p.at.output());
  CHECK(p.match->end().starts_with("voided"));
  CHECK(p.match->money() == std::array<std::int64_t, 2>{grant, grant});
  CHECK(p.metric("baraza_voids_total") == 1);
  CHECK_FALSE(neighbours.is_over());
  neighbours.may_draw(true);
  REQUIRE(neighbours.until([&] { return neighbours.is_over(); }));
  CHECK(neighbours.end() == "ended won");
  p.verify();
}

}  // namespace

TEST_CASE("a match whose journal ends its process is voided soon after, its neighbours play on",
          "[serve][fault]") {
  played p;
  duel neighbours{p.at.url()};
  REQUIRE(neighbours.until([&] { return neighbours.is_playing(); }));
  p.fail("die_at_fold");
  REQUIRE(p.match->until([&] { return !p.at.process().is_running(); }));
  // Sanitizers have the word at a crash: then only loads are counted, and the first was none.
  const int doomed = tests::is_sanitized ? 3 : 2;
  for (int start = 1; start <= doomed; ++start) {
    CAPTURE(start);
    p.at.start_doomed();
    CHECK(p.at.output().find("match.voided") == std::string::npos);
  }
  p.at.start();
  only_the_culprit_ends(p, neighbours);
}

TEST_CASE(
    "a command that ends the process names its match; the third time the match is void, although "
    "it moved in between",
    "[serve][fault]") {
  if (tests::is_sanitized) SKIP("a sanitizer has the last word at a crash");
  played p;
  duel neighbours{p.at.url()};
  REQUIRE(neighbours.until([&] { return neighbours.is_playing(); }));
  for (int death = 1; death <= 3; ++death) {
    CAPTURE(death);
    p.fail("crash");
    REQUIRE(p.match->until([&] { return !p.at.process().is_running(); }));
    CHECK(p.at.process().wait(0ms) == 128 + SIGSEGV);
    CHECK(p.at.output().find("signal 11 in the code of table/" + p.match->table().to_string()) !=
          std::string::npos);
    p.at.start();
    if (death == 3) break;
    REQUIRE(p.match->draw_one());
    REQUIRE_FALSE(p.match->is_over());
  }
  only_the_culprit_ends(p, neighbours);
}

TEST_CASE("a fault that is none is refused", "[serve][fault]") {
  real_server at;
  at.start();
  for (const auto* query : {"", "?table=x&fault=throw", "?fault=throw",
                            "?table=0190a000-0000-7000-8000-000000000001&fault=laugh"}) {
    CAPTURE(query);
    CHECK(raw_client{at.admin_port()}
              .ask(http::tests::post("/admin/v1/debug/fault" + std::string{query}, ""))
              .status == 400);
  }
  CHECK(raw_client{at.port()}
            .ask(http::tests::post("/admin/v1/debug/fault?fault=throw", ""))
            .status == 404);  // not on the players' port
}

#else

TEST_CASE("faults on demand are not part of this build", "[serve][fault]") {
  SUCCEED("BARAZA_TEST_COMMANDS is off");
}

#endif
