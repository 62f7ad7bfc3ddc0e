// What the running node does when it is told to stop, to stop at once, or to read its certificate
// again.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>

#include "http/client/fields.hpp"
#include "http/wire.hpp"
#include "tests/http/raw_client.hpp"
#include "tests/http/tls_client.hpp"
#include "tests/integration/real_server.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace std::chrono_literals;
namespace fields = baraza::client::fields;
using baraza::tests::real_process;
using baraza::tests::real_server;
using http::tests::get;
using http::tests::post;
using http::tests::raw_client;
using http::tests::tls_client;

namespace {

constexpr auto stop_limit =
    tests::slowness * 15s;  // farewells take two seconds, commits in flight at most ten

std::string guest(const real_server& at) {
  const auto answer = raw_client{at.port()}.ask(post("/v1/auth/guest", "{}"));
  REQUIRE(answer.status == 201);
  return http::tests::text_in(answer.body, "access_token");
}

raw_client player(const real_server& at) {
  raw_client out{at.port()};
  REQUIRE(out.upgrade(guest(at), "baraza.v1.json").status == 101);
  out.send_frame(1, R"({"t":"ping","id":1})");
  REQUIRE(out.read_message().starts_with(R"({"t":"ok","re":1)"));
  return out;
}

std::uint64_t commits(const real_server& at) {
  const auto text = raw_client{at.admin_port()}.ask(get("/metrics")).body;
  const auto found = text.find("\nbaraza_commits_total ");
  return found == std::string::npos ? 0 : std::stoull(text.substr(found + 22));
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TEST_CASE("SIGTERM under load: everybody is told when to come back, nothing is lost, exit 0",
          "[serve][stop]") {
  real_server at;
  at.start();
  real_process load{{BARAZA_BINARY, "load", "--url", at.url(), "--tables", "20", "--seconds",
                     "86400", "--verify", "--json"},
                    at.folder() / "load.log"};
  auto watcher = player(at);
  REQUIRE(tests::eventually(60s, [&] { return commits(at) > 500 || !load.is_running(); }));
  REQUIRE(load.is_running());

  const auto begin = std::chrono::steady_clock::now();
  at.process().signal(SIGTERM);
  const auto farewell = watcher.read_message();
  CHECK(farewell.starts_with(R"({"t":"going_away")"));
  const auto frame = http::wire::from_json(farewell);
  REQUIRE(frame);
  CHECK(fields::number(fields::find(*frame, "retry_ms"), 0) > 0);
  CHECK(watcher.read_message() == "close 1001");
  CHECK(at.process().wait(stop_limit) == 0);
  CHECK(std::chrono::steady_clock::now() - begin < stop_limit);
  CHECK_THROWS(raw_client{at.port()});

  at.start();  // the clients come back by themselves and play on
  const auto before = commits(at);
  REQUIRE(tests::eventually(60s, [&] { return commits(at) > before + 500; }));
  load.signal(SIGINT);
  REQUIRE(load.wait(120s) == 0);
  const auto report = http::wire::from_json(last_line(load.output()));
  REQUIRE(report);
  CHECK(fields::number(fields::find(*report, "lost"), 99) == 0);
  CHECK(fields::number(fields::find(*report, "acknowledged"), 0) > 100);
  CHECK(at.run({"ledger", "verify", "--data", at.data()}).first == 0);
}

TEST_CASE("a second SIGTERM ends the node at once", "[serve][stop]") {
  real_server at;
  at.start();
  auto stubborn = player(at);  // never answers the close, so that a clean stop would wait for it
  at.process().signal(SIGTERM);
  REQUIRE(stubborn.read_message().find("going_away") != std::string::npos);
  const auto begin = std::chrono::steady_clock::now();
  at.process().signal(SIGTERM);
  CHECK(at.process().wait(stop_limit) == 1);
  CHECK(std::chrono::steady_clock::now() - begin < tests::slowness * 1s);
  at.start();  // and comes up again from what is durable
  CHECK(at.run({"ledger", "verify", "--data", at.data()}).first == 0);
}

TEST_CASE("SIGHUP makes the running node show a new certificate", "[serve][tls]") {
  real_server files;  // its folder only
  const auto certificate = files.folder() / "chain.pem", key = files.folder() / "key.pem";
  http::tests::write_certificate(certificate, key, 1);
  real_server at{{"--set", "http.tls_certificate_file=" + certificate.string(), "--set",
                  "http.tls_key_file=" + key.string()}};
  at.start();
  CHECK(at.output().find("ready at wss://127.0.0.1:") != std::string::npos);
  tls_client before{at.port()};
  CHECK(before.serial() == 1);

  http::tests::write_certificate(certificate, key, 2);
  at.process().signal(SIGHUP);
  CHECK(tests::eventually(stop_limit, [&] { return tls_client{at.port()}.serial() == 2; }));
  REQUIRE(before.send(get("/v1/games")));
  CHECK(before.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));

  std::filesystem::remove(key);
  at.process().signal(SIGHUP);
  CHECK(tests::eventually(
      stop_limit, [&] { return at.output().find("edge.certificate_kept") != std::string::npos; }));
  CHECK(tls_client{at.port()}.serial() == 2);
  at.process().signal(SIGTERM);
  CHECK(at.process().wait(stop_limit) == 0);
}

TEST_CASE("without TLS a terminal that closes ends its server", "[serve][stop]") {
  real_server at;
  at.start();
  at.process().signal(SIGHUP);
  CHECK(at.process().wait(stop_limit) == 128 + SIGHUP);
}
