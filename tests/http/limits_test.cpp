// Floods, slow peers and crowds: each ends for the one who caused it, and only for him.
#include <catch2/catch_test_macros.hpp>

#include "http/msgpack.hpp"
#include "tests/http/edge_fixture.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {
constexpr int text = 1, ping = 9;
constexpr std::string_view json = "baraza.v1.json";

std::string ping_message(int id) { return R"({"t":"ping","id":)" + std::to_string(id) + "}"; }
}  // namespace

TEST_CASE("a flood of messages is refused, then ends in 1008", "[edge][limits]") {
  auto o = server::quick();
  o.session_rate = {1, 5};
  server s{o};
  auto flooder = s.play(json);
  auto bystander = s.play(json);
  for (int id = 1; id <= 400; ++id) flooder.send_frame(text, ping_message(id));
  for (int id = 1; id <= 5; ++id) CHECK(flooder.read_message().starts_with(R"({"t":"ok")"));
  const auto refused = flooder.read_message();
  CHECK(text_in(refused, "code") == "rate_limited");
  CHECK(refused.find("\"retry_ms\":") != std::string::npos);
  std::string last = refused;
  while (last.starts_with("{")) last = flooder.read_message();
  CHECK(last == "close 1008");
  bystander.send_frame(text, ping_message(1));
  CHECK(bystander.read_message() == R"({"t":"ok","re":1})");
}

TEST_CASE("a flood of which some is accepted ends in 1008 all the same", "[edge][limits]") {
  auto o = server::quick();
  o.session_rate = {20'000 / baraza::tests::slowness, 5};  // some, but far fewer than are sent
  server s{o};
  auto flooder = s.play(json);
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string last = "{";
  int accepted = 0;
  for (int id = 0; last.starts_with("{") && std::chrono::steady_clock::now() < until;) {
    constexpr int at_once = 50;
    for (int i = 0; i < at_once; ++i) flooder.send_frame(text, ping_message(++id));
    for (int i = 0; i < at_once && last.starts_with("{"); ++i) {
      last = flooder.read_message();
      accepted += last.starts_with(R"({"t":"ok")") ? 1 : 0;
    }
  }
  CHECK(last == "close 1008");
  CHECK(accepted > 5);  // the allowance was filled up meanwhile
}

TEST_CASE("two sessions of one account share its allowance", "[edge][limits]") {
  auto o = server::quick();
  o.account_rate = {1, 6};
  server s{o};
  const auto token = s.guest();
  auto a = s.connect(), b = s.connect();
  REQUIRE(a.upgrade(token, json).status == 101);
  REQUIRE(b.upgrade(token, json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 2; }));
  int ok = 0;
  for (int id = 1; id <= 6; ++id) {
    for (auto* one : {&a, &b}) {
      one->send_frame(text, ping_message(id));
      ok += one->read_message().starts_with(R"({"t":"ok")") ? 1 : 0;
    }
  }
  CHECK(ok >= 6);
  CHECK(ok < 12);
  CHECK(s.metric("baraza_edge_refused_total{reason=\"account_rate\"}") > 0);
}

TEST_CASE("a flood of pings ends in 1008", "[edge][limits]") {
  server s;
  auto client = s.play(json);
  for (int i = 0; i < 200; ++i) client.send_frame(ping, "x");
  CHECK(client.read_message() == "close 1008");
}

TEST_CASE("a slow reader is closed with 1013 and the others get everything", "[edge][limits]") {
  server s;
  auto slow = s.connect(4096);
  REQUIRE(slow.upgrade(s.guest(), json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 1; }));
  auto quick = s.play(json);
  std::string fields;
  pack::put_text(fields, "x");
  pack::put_text(fields, std::string(20'000, 'y'));
  const auto frame =
      std::make_shared<const std::string>(wire::push_frame("table.events", 1, fields));
  int received = 0, sent = 0;
  while (s.metric("baraza_edge_refused_total{reason=\"slow_reader\"}") == 0 && sent < 2000) {
    s.actors.push_to_all(frame, 8);
    sent += 8;
    for (int i = 0; i < 8; ++i) received += quick.read_message().size() > 20'000 ? 1 : 0;
  }
  CHECK(s.metric("baraza_edge_refused_total{reason=\"slow_reader\"}") == 1);
  CHECK(received == sent);
  std::string last = "{";
  while (last.starts_with("{")) last = slow.read_message();
  CHECK(last == "close 1013");
}

TEST_CASE("a reader that never reads is cut off", "[edge][limits]") {
  server s;
  auto dead = s.connect(4096);
  REQUIRE(dead.upgrade(s.guest(), json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 1; }));
  std::string fields;
  pack::put_text(fields, "x");
  pack::put_text(fields, std::string(60'000, 'y'));
  const auto frame =
      std::make_shared<const std::string>(wire::push_frame("table.events", 1, fields));
  for (int i = 0; i < 20 && s.metric("baraza_edge_refused_total{reason=\"slow_reader\"}") == 0; ++i)
    s.actors.push_to_all(frame, 100);
  CHECK(eventually([&] { return s.actors.sessions() == 0; }));
}

TEST_CASE("a silent peer is asked, then given up; one that answers stays", "[edge][limits]") {
  auto o = server::quick();
  o.ping_after = 300ms;
  o.idle_time = 1500ms;
  server s{o};
  auto silent = s.play(json);
  auto alive = s.play(json);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (s.actors.sessions() == 2 && std::chrono::steady_clock::now() < until) {
    const auto frame = alive.read_frame(50ms);
    if (frame.opcode == ping) alive.send_frame(10, frame.payload);
  }
  CHECK(s.actors.sessions() == 1);
  CHECK(silent.read_frame().opcode == ping);
  CHECK(silent.is_closed_by_peer());
  alive.send_frame(text, ping_message(1));
  CHECK(alive.read_message() == R"({"t":"ok","re":1})");
}

TEST_CASE("headers and bodies that trickle in meet their deadline", "[edge][limits]") {
  auto o = server::quick();
  o.header_time = 400ms;
  o.body_time = 400ms;
  o.keep_alive_time = 400ms;
  server s{o};
  auto header = s.connect(), body = s.connect(), idle = s.connect(), nothing = s.connect();
  body.send("POST /v1/auth/guest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
  idle.send(get("/v1/games"));
  CHECK(idle.read_answer().status == 200);
  const std::string slow = "GET /v1/games HTTP/1.1\r\nHost: localhost\r\nX: ";
  bool cut = false;
  const auto until = std::chrono::steady_clock::now() + patience;
  for (std::size_t i = 0; !cut && std::chrono::steady_clock::now() < until; ++i) {
    header.send(i < slow.size() ? slow.substr(i, 1) : "a");
    cut = header.is_closed_by_peer(20ms);
  }
  CHECK(cut);
  CHECK(body.is_closed_by_peer());
  CHECK(idle.is_closed_by_peer());
  CHECK(nothing.is_closed_by_peer());
  CHECK(s.metric("baraza_edge_refused_total{reason=\"header_timeout\"}") == 1);
  CHECK(eventually([&] { return s.metric("baraza_edge_sockets") == 0; }));
}

TEST_CASE("one address holds only so many sockets", "[edge][limits]") {
  auto o = server::quick();
  o.exempt_loopback = false;
  o.sockets_per_address_max = 3;
  server s{o};
  std::vector<raw_client> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(s.connect());
    CHECK(held.back().ask(get("/v1/games")).status == 200);
  }
  CHECK(s.connect().is_closed_by_peer());
  held.clear();
  CHECK(eventually([&] { return s.ask(get("/v1/games")).status == 200; }));
}

TEST_CASE("the edge holds only so many sockets", "[edge][limits]") {
  auto o = server::quick();
  o.sockets_max = 2;
  server s{o};
  auto a = s.connect(), b = s.connect();
  CHECK(a.ask(get("/v1/games")).status == 200);
  CHECK(b.ask(get("/v1/games")).status == 200);
  CHECK(s.connect().is_closed_by_peer());
  CHECK(s.metric("baraza_edge_refused_total{reason=\"sockets_total\"}") == 1);
}

TEST_CASE("an address that asks too often is told when to come back", "[edge][limits]") {
  auto o = server::quick();
  o.exempt_loopback = false;
  o.http_rate = {1, 3};
  server s{o};
  for (int i = 0; i < 3; ++i) CHECK(s.ask(get("/v1/games")).status == 200);
  const auto answer = s.ask(get("/v1/games"));
  CHECK(answer.status == 429);
  CHECK(answer.field("Retry-After") == "1");
  CHECK(answer.field("RateLimit-Remaining") == "0");
  CHECK(answer.field("RateLimit-Reset") == "1");
  CHECK(text_in(answer.body, "code") == "rate_limited");
}

TEST_CASE("an address behind a trusted proxy is its own, and nobody else may claim one",
          "[edge][limits]") {
  auto o = server::quick();
  o.exempt_loopback = false;
  o.http_rate = {1, 2};
  const auto asks = [](const server& s, std::string_view forwarded) {
    return s
        .ask("GET /v1/games HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " +
             std::string{forwarded} + "\r\n\r\n")
        .status;
  };
  {
    server s{o};
    asks(s, "1.1.1.1");
    asks(s, "2.2.2.2");
    CHECK(asks(s, "3.3.3.3") == 429);
  }
  o.trusted_proxies = {"127.0.0.0/8"};
  server s{o};
  for (const auto* one : {"1.1.1.1", "2.2.2.2", "3.3.3.3", "9.9.9.9, 4.4.4.4"})
    CHECK(asks(s, one) == 200);
  CHECK(asks(s, "8.8.8.8, 4.4.4.4") == 200);
  CHECK(asks(s, "7.7.7.7, 4.4.4.4") ==
        429);  // the rightmost counts: what stands before it is the client's own claim
}

TEST_CASE("a message longer than the node's own limit closes with 1009", "[edge][limits]") {
  auto o = server::quick();
  o.frame_bytes_max = 1024;
  server s{o};
  auto client = s.play(json);
  client.send_frame(text, R"({"t":"ping","id":1,"x":")" + std::string(900, 'x') + "\"}");
  CHECK(client.read_message().starts_with("{"));
  client.send_frame(text, R"({"t":"ping","id":2,"x":")" + std::string(1100, 'x') + "\"}");
  CHECK(client.read_message() == "close 1009");
}

TEST_CASE("as many requests may wait as the node allows", "[edge][limits]") {
  auto o = server::quick();
  o.session_inflight_max = 2;
  server s{o};
  s.actors.is_silent = true;
  auto client = s.play(json);
  for (int id = 1; id <= 3; ++id)
    client.send_frame(text,
                      R"({"t":"wallet.get","id":)" + std::to_string(id) + R"(,"currency":"DEMO"})");
  const auto refused = client.read_message();
  CHECK(text_in(refused, "code") == "too_many_in_flight");
  CHECK(refused.find("\"re\":3") != std::string::npos);
  CHECK(s.actors.handled().size() == 2);
}

TEST_CASE("a shorter outbox closes a slow reader sooner", "[edge][limits]") {
  auto o = server::quick();
  o.session_outbox_frames_max = 8;
  server s{o};
  auto slow = s.connect(4096);
  REQUIRE(slow.upgrade(s.guest(), "baraza.v1.msgpack").status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 1; }));
  std::string fields;
  pack::put_text(fields, "x");
  pack::put_text(fields, std::string(2'000, 'y'));
  const auto frame =
      std::make_shared<const std::string>(wire::push_frame("table.events", 1, fields));
  std::uint64_t sent = 0;
  REQUIRE(eventually([&] {
    s.actors.push_to_all(frame, 4);
    sent += 4;
    return s.metric("baraza_edge_refused_total{reason=\"slow_reader\"}") == 1;
  }));
  // Nine of them did not fit; those pushed after that were dropped, and they are few.
  CHECK(sent - s.metric("baraza_edge_frames_out_total") >= 9);
  CHECK(sent - s.metric("baraza_edge_frames_out_total") < 200);
}

TEST_CASE("a handshake that does not go on meets the node's own deadline", "[edge][limits]") {
  auto o = server::quick();
  o.hello_time = 300ms;
  o.header_time = 300ms;
  server s{o};
  auto silent = s.connect();
  auto wordless = s.connect();
  REQUIRE(wordless.upgrade("", json, "Origin: http://localhost\r\n").status == 101);
  CHECK(wordless.read_message() == "close 1008");
  CHECK(silent.is_closed_by_peer());
}
