// A match that was quarantined: what operators see of it and decide. The real binary. Test builds
// only, where a table fails on demand and its back-off is short.
#include <catch2/catch_test_macros.hpp>

#ifdef BARAZA_TEST_COMMANDS

#include "tests/http/raw_client.hpp"
#include "tests/integration/duel.hpp"
#include "tests/integration/real_server.hpp"

using namespace baraza;
using baraza::tests::duel;
using baraza::tests::real_server;
using http::tests::get;
using http::tests::post;
using http::tests::raw_client;

namespace {

constexpr std::int64_t grant = 100'000;  // of a new wallet

/// A node with one match, whose table failed at requests until it was quarantined.
struct stopped {
  real_server at;
  std::unique_ptr<duel> match;

  http::tests::http_answer ask(const std::string& what) {
    return raw_client{at.admin_port()}.ask(what);
  }
  stopped() {
    at.start();
    match = std::make_unique<duel>(at.url());
    REQUIRE(match->until([&] { return match->is_playing(); }));
    match->may_draw(true);
    REQUIRE(match->until([&] { return match->cards() >= 2 || match->is_over(); }));
    match->may_draw(false);
    REQUIRE_FALSE(match->is_over());
    const auto fault = "/admin/v1/debug/fault?table=" + table() + "&fault=throw";
    REQUIRE(match->until([&] {
      ask(post(fault, ""));
      return list().find("\"quarantine\"") != std::string::npos;
    }));
  }
  [[nodiscard]] std::string table() const { return match->table().to_string(); }
  std::string list() { return ask(get("/admin/v1/incidents")).body; }
  std::pair<int, std::string> incident(std::vector<std::string> words) {
    words.insert(words.begin(), "incident");
    words.insert(words.end(), {"--admin", "127.0.0.1:" + std::to_string(at.admin_port())});
    return at.run(std::move(words));
  }
  std::int64_t sum() {
    const auto [one, two] = match->money();
    return one + two;
  }
  void verify() {
    const auto [code, said] = at.run({"ledger", "verify", "--data", at.data()});
    INFO(said);
    CHECK(code == 0);
  }
};

}  // namespace

TEST_CASE("a quarantined match that is tried again comes to its end", "[serve][incident]") {
  stopped s;
  CHECK(s.match->money() == std::array<std::int64_t, 2>{grant - 500, grant - 500});
  const auto [code, said] = s.incident({"retry", "table", s.table(), "--by", "amina"});
  INFO(said);
  REQUIRE(code == 0);
  // Its players were told that it is gone and do not come back: its clock ends it.
  REQUIRE(s.match->until([&] { return s.sum() > 2 * (grant - 500); }));
  CHECK(s.list().find("\"void\"") == std::string::npos);
  CHECK(s.at.run({"replay", s.table(), "--data", s.at.data()}).second.find("ended") !=
        std::string::npos);
  const auto [listed, text] = s.incident({"list"});
  CHECK(listed == 0);
  CHECK(text.find("retry_ordered table " + s.table() + "  by amina") != std::string::npos);
  CHECK(text.find("quarantine    table " + s.table()) != std::string::npos);
  s.verify();
}

TEST_CASE("a quarantined match that is given up returns its stakes", "[serve][incident]") {
  stopped s;
  const auto [code, said] = s.incident({"void", "table", s.table(), "--by", "amina", "--json"});
  INFO(said);
  REQUIRE(code == 0);
  CHECK(said.find("{\"begun\":true}") != std::string::npos);
  REQUIRE(s.match->until([&] { return s.sum() == 2 * grant; }));
  CHECK(s.match->money() == std::array<std::int64_t, 2>{grant, grant});
  CHECK(s.list().find("\"void_ordered\"") != std::string::npos);
  const auto [again, why] = s.incident({"retry", "table", s.table(), "--by", "amina"});
  CHECK(again == 1);
  CHECK(why.find("not_quarantined") != std::string::npos);
  s.verify();
}

TEST_CASE("incidents come in pages, and each decision names who took it", "[serve][incident]") {
  stopped s;
  const auto entity = "/admin/v1/entities/table/" + s.table();
  for (const auto* by : {"", "?by=", "?by=a%20b", "?by=<x>"}) {
    CAPTURE(by);
    CHECK(s.ask(post(entity + "/retry" + by, "")).status == 422);
  }
  CHECK(s.ask(post("/admin/v1/entities/chair/" + s.table() + "/retry?by=a", "")).status == 404);
  CHECK(s.ask(post("/admin/v1/entities/table/7/void?by=a", "")).status == 404);
  CHECK(s.ask(post("/admin/v1/entities/wallet/" + s.table() + "/void?by=a", "")).status == 409);
  for (const auto* bad : {"limit=0", "limit=201", "limit=x", "before=1", "before=x.y"}) {
    CAPTURE(bad);
    CHECK(s.ask(get("/admin/v1/incidents?" + std::string{bad})).status == 422);
  }
  REQUIRE(s.ask(post(entity + "/void?by=amina", "")).status == 202);
  REQUIRE(s.match->until([&] { return s.list().find("\"void\"") != std::string::npos; }));
  std::string cursor;
  std::vector<std::string> seen;
  for (int page = 0; page < 4; ++page) {
    const auto page_of =
        "/admin/v1/incidents?limit=1" + (cursor.empty() ? "" : "&before=" + cursor);
    const auto answer = s.ask(get(page_of));
    const auto& body = answer.body;
    INFO(page_of << ": " << body);
    REQUIRE(answer.status == 200);
    const auto word_after = [&](const std::string& name) {
      const auto at = body.find("\"" + name + "\":\"");
      if (at == std::string::npos) return std::string{};
      const auto begin = at + name.size() + 4;
      return body.substr(begin, body.find('"', begin) - begin);
    };
    seen.push_back(word_after("what"));
    cursor = word_after("next_before");
    if (cursor.empty()) break;
  }
  CHECK(seen == std::vector<std::string>{"void", "void_ordered", "quarantine", ""});
}

#else

TEST_CASE("incidents on demand are not part of this build", "[serve][incident]") {
  SUCCEED("BARAZA_TEST_COMMANDS is off");
}

#endif
