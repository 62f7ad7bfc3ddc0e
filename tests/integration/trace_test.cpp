// The log of the running node: one id from a request through table and wallet to the commit, and
// nothing secret anywhere.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/http/raw_client.hpp"
#include "tests/integration/duel.hpp"
#include "tests/integration/real_server.hpp"

using namespace baraza;
using namespace std::chrono_literals;
using baraza::tests::duel;
using baraza::tests::real_server;
using http::tests::get;
using http::tests::post;
using http::tests::raw_client;
using http::tests::text_in;

namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file{path};
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

/// Correlation → steps, each "event kind": "gate.commit wallet".
std::map<std::string, std::set<std::string>> steps_of(const std::string& log) {
  std::map<std::string, std::set<std::string>> out;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    const auto entity = text_in(line, "entity");
    out[text_in(line, "correlation")].insert(text_in(line, "msg") + " " +
                                             entity.substr(0, entity.find('/')));
  }
  return out;
}

}  // namespace

TEST_CASE("one id follows a request from the socket through table and wallet to the commit",
          "[serve][log]") {
  real_server at{{"--log-level", "debug", "--set", "log.format=json", "--set",
                  "log.file=" + (std::filesystem::temp_directory_path() /
                                 ("baraza-trace-" + std::to_string(::getpid()) + ".log"))
                                    .string()}};
  const auto log = std::filesystem::temp_directory_path() /
                   ("baraza-trace-" + std::to_string(::getpid()) + ".log");
  at.start();
  duel match{at.url()};
  match.may_draw(true);
  REQUIRE(match.until([&] { return match.is_over(); }));
  at.process().signal(SIGTERM);
  REQUIRE(at.process().wait(30s) == 0);
  const auto steps = steps_of(read(log));
  std::filesystem::remove(log);

  int moves = 0, buy_ins = 0;
  for (const auto& [correlation, seen] : steps) {
    if (!correlation.starts_with("e1-s") || !seen.contains("edge.request wallet")) continue;
    const bool table = seen.contains("entity.request table") && seen.contains("gate.commit table");
    if (!table) continue;
    ++moves;
    if (seen.contains("entity.request wallet") && seen.contains("gate.commit wallet")) ++buy_ins;
  }
  CHECK(moves >= 4);    // cards, and what came before them
  CHECK(buy_ins == 1);  // the opening that locked the seeds took both stakes
}

TEST_CASE("the id of an HTTP answer finds what its request caused in the log", "[serve][log]") {
  const auto log = std::filesystem::temp_directory_path() /
                   ("baraza-http-trace-" + std::to_string(::getpid()) + ".log");
  real_server at{
      {"--log-level", "debug", "--set", "log.format=json", "--set", "log.file=" + log.string()}};
  at.start();
  const auto ask = [&](const std::string& bytes) { return raw_client{at.port()}.ask(bytes); };
  const auto access = text_in(ask(post("/v1/auth/guest", "{}")).body, "access_token");
  const auto wallet = [&](const std::string& field) {
    return ask("GET /v1/wallet HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + access +
               "\r\n" + field + "\r\n");
  };
  const auto made = wallet("");
  REQUIRE(made.status == 200);
  const std::string ours{made.field("X-Request-Id")};
  REQUIRE_FALSE(ours.empty());
  const auto named = wallet("X-Request-Id: look-7\r\n");
  CHECK(named.field("X-Request-Id") == "look-7");
  // One that looks like a player's own request is not taken for it.
  CHECK(wallet("X-Request-Id: e1-s1-r1\r\n").status == 200);
  const auto refused = raw_client{at.admin_port()}.ask(
      "POST /admin/v1/entities/wallet/0190a000-0000-7000-8000-000000000001/void?by=amina "
      "HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: order-8\r\nContent-Length: 0\r\n\r\n");
  CHECK(refused.status == 409);
  CHECK(text_in(refused.body, "request_id") == "order-8");
  at.process().signal(SIGTERM);
  REQUIRE(at.process().wait(30s) == 0);
  const auto steps = steps_of(read(log));
  std::filesystem::remove(log);
  const auto seen = [&](const std::string& id) {
    const auto found = steps.find(id);
    return found == steps.end() ? std::set<std::string>{} : found->second;
  };
  CHECK(seen("http-" + ours) ==
        std::set<std::string>{"edge.request wallet", "entity.request wallet"});
  CHECK(seen("http-look-7").contains("entity.request wallet"));
  CHECK(seen("http-e1-s1-r1").contains("entity.request wallet"));
  CHECK(seen("e1-s1-r1").empty());
  CHECK(seen("http-order-8").contains("edge.request wallet"));
}

TEST_CASE("no token, password or phone number reaches log, output or metrics", "[serve][log]") {
  const auto log = std::filesystem::temp_directory_path() /
                   ("baraza-secrets-" + std::to_string(::getpid()) + ".log");
  real_server at{{"--log-level", "trace", "--set", "log.file=" + log.string()}};
  at.start();
  const std::string password = "canary-in-a-coal-mine";
  const auto ask = [&](const std::string& bytes) { return raw_client{at.port()}.ask(bytes); };
  const auto made =
      ask(post("/v1/auth/register",
               R"({"name":"0712345678","display":"A","password":")" + password + "\"}"));
  REQUIRE(made.status == 201);
  const auto access = text_in(made.body, "access_token"),
             refresh = text_in(made.body, "refresh_token");
  CHECK(
      ask(post("/v1/auth/login", R"({"name":"+254712345678","password":"wrong-canary"})")).status ==
      401);
  CHECK(ask(post("/v1/auth/login", R"({"name":"+254712345678","password":")" + password + "\"}"))
            .status == 200);
  const auto ticket = text_in(ask(post("/v1/ws-ticket", "", access)).body, "ticket");
  CHECK(ask(post("/v1/auth/refresh", R"({"refresh_token":")" + refresh + "\"}")).status == 200);
  CHECK(ask(post("/v1/auth/refresh", R"({"refresh_token":")" + refresh + "\"}")).status == 401);
  CHECK(ask(get("/v1/wallet", access)).status == 401);
  const auto metrics = raw_client{at.admin_port()}.ask(get("/metrics")).body;
  at.process().signal(SIGTERM);
  REQUIRE(at.process().wait(30s) == 0);

  const auto said = read(log) + at.output() + metrics;
  std::filesystem::remove(log);
  CHECK(said.find("login_failed") != std::string::npos);
  CHECK(said.find("login_ok") != std::string::npos);
  CHECK(said.find("refresh token used twice") != std::string::npos);
  for (const auto& secret : {access, refresh, ticket, password, std::string{"wrong-canary"},
                             std::string{"712345678"}, std::string{"bza_"}, std::string{"bzr_"}}) {
    CAPTURE(secret);
    REQUIRE_FALSE(secret.empty());
    CHECK(said.find(secret) == std::string::npos);
  }
}
