#include <catch2/catch_test_macros.hpp>

#include "tests/http/edge_fixture.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

TEST_CASE("every answer carries the security fields and the request's id", "[edge][routes]") {
  const server s;
  const auto answer =
      s.ask("GET /v1/games HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: my-id-1\r\n\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.body == R"({"games":[]})");
  CHECK(answer.field("X-Request-Id") == "my-id-1");
  CHECK(answer.field("X-Content-Type-Options") == "nosniff");
  CHECK(answer.field("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'");
  CHECK(answer.field("Cache-Control") == "no-store");
  CHECK_FALSE(answer.field("Strict-Transport-Security").empty());
  const auto lost =
      s.ask("GET /nowhere HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: my-id-2\r\n\r\n");
  CHECK(lost.status == 404);
  CHECK(
      lost.body ==
      R"({"error":{"code":"not_found","message":"There is no such address.","request_id":"my-id-2"}})");
}

TEST_CASE("known addresses refuse other methods and name their own", "[edge][routes]") {
  const server s;
  const auto answer = s.ask(get("/v1/auth/login"));
  CHECK(answer.status == 405);
  CHECK(answer.field("Allow") == "POST");
  CHECK(s.ask("DELETE /v1/games HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 405);
  auto head = s.connect();
  head.send("HEAD /v1/games HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(head.read_until("\r\n\r\n"));
}

TEST_CASE("what is one player's own needs his token", "[edge][routes]") {
  const server s;
  for (const auto* path :
       {"/v1/profile", "/v1/wallet", "/v1/wallet/history", "/v1/auth/sessions"}) {
    const auto answer = s.ask(get(path));
    CHECK(answer.status == 401);
    CHECK(answer.field("WWW-Authenticate") == "Bearer");
    CHECK(s.ask(get(path, "bza_" + std::string(43, 'A'))).status == 401);
    CHECK(s.ask(get(path, s.guest())).status == 200);
  }
}

TEST_CASE("the wallet is asked from its entity", "[edge][routes]") {
  const server s;
  const auto token = s.guest();
  CHECK(s.ask(get("/v1/wallet?currency=KES", token)).body ==
        R"({"currency":"KES","balance":100000,"available":99000,"version":7})");
  CHECK(s.ask(get("/v1/wallet", token)).body.find("\"DEMO\"") != std::string::npos);
  CHECK(s.ask(get("/v1/wallet?currency=USD", token)).status == 422);
}

TEST_CASE("history pages are bounded", "[edge][routes]") {
  const server s;
  const auto token = s.guest();
  CHECK(s.ask(get("/v1/wallet/history?limit=200", token)).body == R"({"transfers":[]})");
  for (const auto* bad :
       {"limit=0", "limit=201", "limit=x", "limit=-1", "before=x", "currency=x"}) {
    CHECK(s.ask(get("/v1/wallet/history?" + std::string{bad}, token)).status == 422);
  }
}

TEST_CASE("a match that is not there is not found", "[edge][routes]") {
  edge_callbacks c;
  c.match_record =
      c.match_proof = [](const uuid&, const auto&) { return std::optional<std::string>{"{}"}; };
  const server s{server::quick(), c};
  const auto id = "0190a000-0000-7000-8000-000000000001";
  CHECK(s.ask(get("/v1/matches/" + std::string{id})).status == 404);
  CHECK(s.ask(get("/v1/matches/" + std::string{id} + "/proof")).status == 404);
  CHECK(s.ask(get("/v1/matches/x")).status == 404);
}

TEST_CASE("the admin port tells health and metrics, and no more", "[edge][routes]") {
  std::atomic<bool> ready{false};
  edge_callbacks c;
  c.is_ready = [&] { return ready.load(); };
  c.append_metrics = [](std::string& out) { out += "other_metric 1\n"; };
  server s{server::quick(), c};
  CHECK(s.connect_admin().ask(get("/livez")).status == 200);
  CHECK(s.connect_admin().ask(get("/readyz")).status == 503);
  ready = true;
  CHECK(s.connect_admin().ask(get("/readyz")).status == 200);
  auto client = s.play();
  const auto metrics = s.connect_admin().ask(get("/metrics"));
  CHECK(metrics.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(metrics.body.find("\nbaraza_edge_sessions 1\n") != std::string::npos);
  CHECK(metrics.body.find("\nother_metric 1\n") != std::string::npos);
  CHECK(metrics.body.find("baraza_edge_refused_total{reason=\"slow_reader\"} 0\n") !=
        std::string::npos);
  CHECK(s.connect_admin().ask(get("/v1/games")).status == 404);
  CHECK(s.ask(get("/metrics")).status == 404);
  CHECK(s.connect_admin().upgrade(s.guest(), "baraza.v1.json").status == 404);
}

TEST_CASE("a port that is taken is reported, not shared", "[edge][routes]") {
  const server s;
  auto o = server::quick();
  o.port = s.at->port();
  recording_bridge other;
  edge second{o, other, *s.identities, *s.reads, {}};
  const auto why = second.start();
  REQUIRE(why);
  CHECK(why->find("cannot bind 127.0.0.1:" + std::to_string(o.port)) == 0);
}
