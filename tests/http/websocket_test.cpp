#include <catch2/catch_test_macros.hpp>

#include "http/msgpack.hpp"
#include "tests/http/edge_fixture.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr int text = 1, binary = 2, ping = 9, pong = 10;
constexpr std::string_view json = "baraza.v1.json", msgpack = "baraza.v1.msgpack";
const std::string table = "0190a000-0000-7000-8000-000000000001";

std::string watch(int id) {
  return R"({"t":"table.watch","id":)" + std::to_string(id) + R"(,"table":")" + table + "\"}";
}
std::string ticket_for(const server& s, const std::string& token) {
  const auto answer = s.ask(post("/v1/ws-ticket", "", token));
  REQUIRE(answer.status == 201);
  return text_in(answer.body, "ticket");
}
constexpr std::string_view browser = "Origin: http://localhost\r\n";

}  // namespace

TEST_CASE("a guest's messages reach the bridge and each answer carries its id", "[edge][ws]") {
  server s;
  auto client = s.play(json);
  client.send_frame(text, watch(1));
  CHECK(client.read_message() == R"({"t":"ok","re":1})");
  client.send_frame(text, R"({"t":"table.act","id":2,"table":")" + table +
                              R"(","command":1,"action":{"t":"draw"}})");
  CHECK(client.read_message() == R"({"t":"ok","re":2})");
  const auto handled = s.actors.handled();
  REQUIRE(handled.size() == 2);
  CHECK(std::get<wire::table_watch>(handled[0].body).table.to_string() == table);
  CHECK(wire::to_json(std::get<wire::table_act>(handled[1].body).action) == R"({"t":"draw"})");
}

TEST_CASE("MessagePack is the default subprotocol", "[edge][ws]") {
  server s;
  auto client = s.connect();
  const auto answer = client.upgrade(s.guest(), "");
  CHECK(answer.status == 101);
  CHECK(answer.field("Sec-WebSocket-Protocol").empty());
  client.send_frame(binary, wire::encode(wire::encoding::msgpack, {1, wire::ping{}}));
  const auto frame = client.read_frame();
  CHECK(frame.opcode == binary);
  CHECK(frame.payload == wire::ok_frame(1));
  auto named = s.connect();
  CHECK(named.upgrade(s.guest(), "baraza.v1.json, baraza.v1.msgpack")
            .field("Sec-WebSocket-Protocol") == msgpack);
  auto as_json = s.connect();
  CHECK(as_json.upgrade(s.guest(), json).field("Sec-WebSocket-Protocol") == json);
  CHECK(s.connect().upgrade(s.guest(), "chat").status == 400);
}

TEST_CASE("one push reaches every session, in its encoding", "[edge][ws]") {
  server s;
  auto a = s.play(json);
  auto b = s.play(msgpack);
  std::string fields;
  pack::put_text(fields, "seq");
  pack::put_unsigned(fields, 12);
  const auto frame =
      std::make_shared<const std::string>(wire::push_frame("table.events", 1, fields));
  s.actors.push_to_all(frame, 100);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(a.read_message() == R"({"t":"table.events","seq":12})");
    REQUIRE(b.read_frame().payload == *frame);
  }
}

TEST_CASE("the handshake needs a good token, an allowed origin and WebSocket", "[edge][ws]") {
  server s;
  const auto token = s.guest();
  CHECK(s.connect().upgrade("bza_" + std::string(43, 'x'), json).status == 401);
  CHECK(s.connect().upgrade("nonsense", json).status == 401);
  CHECK(s.connect().upgrade("", json).status == 403);  // no origin needs a token
  CHECK(s.connect().upgrade("", json, "Origin: https://evil.example\r\n").status == 403);
  CHECK(s.connect().upgrade(token, json, "Origin: https://evil.example\r\n").status == 403);
  CHECK(s.connect().upgrade("", json, "Origin: null\r\n").status == 403);
  CHECK(s.connect().upgrade("", json, browser).status == 101);
  CHECK(s.connect().upgrade(token, json, browser).status == 101);
  CHECK(s.ask(get("/v1/play", token)).status == 426);
  CHECK(s.metric("baraza_edge_refused_total{reason=\"origin\"}") == 4);
}

TEST_CASE("a handshake that is none is refused in the words of every other refusal", "[edge][ws]") {
  const server s;
  const auto token = s.guest();
  const std::string_view upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n",
                         version = "Sec-WebSocket-Version: 13\r\n",
                         key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto ask = [&](std::string_view a, std::string_view b, std::string_view c) {
    return s.ask("GET /v1/play HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
                 "\r\n" + std::string{a} + std::string{b} + std::string{c} + "\r\n");
  };
  struct row {
    std::string_view a, b, c;
    int status;
  };
  const row rows[] = {{upgrade, version, key, 101},
                      {"", version, key, 426},
                      {upgrade, "", key, 426},
                      {upgrade, "Sec-WebSocket-Version: 8\r\n", key, 426},
                      {upgrade, version, "", 400},
                      {upgrade, version, "Sec-WebSocket-Key: short\r\n", 400},
                      {upgrade,
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                       "dGhlIHNhbXBsZSBub25jZQ==\r\n",
                       key, 400}};
  for (const auto& r : rows) {
    CAPTURE(r.a, r.b, r.c);
    const auto answer = ask(r.a, r.b, r.c);
    CHECK(answer.status == r.status);
    if (r.status == 101) continue;
    CHECK(answer.field("X-Content-Type-Options") == "nosniff");
    CHECK(text_in(answer.body, "request_id") == answer.field("X-Request-Id"));
    if (r.status == 426) CHECK(answer.field("Sec-WebSocket-Version") == "13");
  }
}

TEST_CASE("compression is never agreed to, so that no small frame can become a large message",
          "[edge][ws]") {
  const server s;
  auto client = s.connect();
  const auto answer =
      client.upgrade(s.guest(), json, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  REQUIRE(answer.status == 101);
  CHECK(answer.field("Sec-WebSocket-Extensions").empty());
  std::string deflated = R"({"t":"ping","id":1})";
  client.send_frame(0x40 | 1, deflated);  // RSV1 means compressed
  CHECK(client.read_message() == "close 1002");
}

TEST_CASE("a frame that trickles in, or fragments without end, meet idle time and size",
          "[edge][ws][limits]") {
  auto o = server::quick();
  o.ping_after = 300ms;
  o.idle_time = 900ms;
  server s{o};
  auto slow = s.play(json);
  const std::string frame = std::string{"\x81\xfe\x10\x00\0\0\0\0", 8} + std::string(4096, ' ');
  std::size_t sent = 0;
  CHECK(eventually([&] {  // a byte each time keeps nobody alive
    if (sent < frame.size()) slow.send(std::string_view{frame}.substr(sent++, 1));
    return s.actors.sessions() == 0;
  }));
  CHECK(sent < frame.size());
  auto endless = s.play(json);
  endless.send_frame(1, "[", false);
  for (int i = 0; i < 70; ++i) endless.send_frame(0, std::string(1024, ' '), false);
  CHECK(endless.read_message() == "close 1009");
}

TEST_CASE("a violation while the server closes gives the place among the sockets back",
          "[edge][ws][limits]") {
  auto o = server::quick();
  o.close_time = 300ms;
  server s{o};
  const std::string reserved = std::string{"\x8b\x80\0\0\0\0", 6};  // no frame has this opcode
  {
    auto client = s.play(json);  // both are read at once: the second while 1007 is on its way
    client.send(std::string{"\x81\x81\0\0\0\0{", 7} + reserved);
    CHECK(client.read_message() == "close 1007");
    CHECK(eventually([&] { return s.metric("baraza_edge_sockets") == 0; }));
  }
  for (int i = 0; i < 20; ++i) {  // a logout meets a read in progress
    const auto token = s.guest();
    auto client = s.connect();
    const auto before = s.actors.attached_ever();
    REQUIRE(client.upgrade(token, json).status == 101);
    REQUIRE(eventually([&] { return s.actors.attached_ever() > before; }));
    s.ask(post("/v1/auth/logout", "", token));
    client.send(reserved);
  }
  {
    auto client = s.play(json);
    std::string flood;
    for (int i = 0; i < 40; ++i) flood += std::string{"\x89\x80\0\0\0\0", 6};
    client.send(flood + reserved);
    CHECK(client.is_closed_by_peer());
  }
  CHECK(eventually([&] { return s.metric("baraza_edge_sockets") == 0; }));
  CHECK(s.metric("baraza_edge_sessions") == 0);
}

TEST_CASE("nothing may follow an upgrade before its answer", "[edge][ws][smuggling]") {
  const server s;
  auto client = s.connect();
  CHECK(client.upgrade(s.guest(), json, "X: y\r\n\r\nGET /v1/games HTTP/1.1\r\nHost: localhost\r\n")
            .status == 400);
  CHECK(client.read_answer().status == 0);
  CHECK(client.is_closed_by_peer());
}

TEST_CASE("only listed origins may open a connection when there is a list", "[edge][ws]") {
  auto o = server::quick();
  o.origins = {"https://play.example"};
  server s{o};
  CHECK(s.connect().upgrade("", json, "Origin: https://play.example\r\n").status == 101);
  CHECK(s.connect().upgrade("", json, browser).status == 403);
}

TEST_CASE("a browser says hello with a ticket, which works once", "[edge][ws]") {
  server s;
  const auto token = s.guest();
  const auto hello = R"({"t":"hello","id":1,"token":")" + ticket_for(s, token) + "\"}";
  auto client = s.connect();
  REQUIRE(client.upgrade("", json, browser).status == 101);
  client.send_frame(text, hello);
  CHECK(client.read_message().starts_with(R"({"t":"ok","re":1,"player":")"));
  client.send_frame(text, watch(2));
  CHECK(client.read_message() == R"({"t":"ok","re":2})");
  auto again = s.connect();
  REQUIRE(again.upgrade("", json, browser).status == 101);
  again.send_frame(text, hello);
  CHECK(again.read_message() == "close 1008");
}

TEST_CASE("a ticket is refused after 30 seconds, and so is nonsense", "[edge][ws]") {
  server s;
  const auto ticket = ticket_for(s, s.guest());
  s.skew += 31'000;
  for (const auto& token : {ticket, std::string{"bzt_x"}, "bza_" + std::string(43, 'q')}) {
    auto client = s.connect();
    REQUIRE(client.upgrade("", json, browser).status == 101);
    client.send_frame(text, R"({"t":"hello","id":1,"token":")" + token + "\"}");
    CHECK(client.read_message() == "close 1008");
  }
}

TEST_CASE("nothing but hello is heard before hello, and hello only once", "[edge][ws]") {
  server s;
  const auto token = s.guest();
  auto client = s.connect();
  REQUIRE(client.upgrade("", json, browser).status == 101);
  client.send_frame(text, watch(1));
  CHECK(text_in(client.read_message(), "code") == "not_authenticated");
  client.send_frame(text, R"({"t":"hello","id":2,"token":")" + token + "\"}");
  CHECK(client.read_message().starts_with(R"({"t":"ok","re":2)"));
  client.send_frame(text, R"({"t":"hello","id":3,"token":")" + token + "\"}");
  CHECK(text_in(client.read_message(), "code") == "already_authenticated");
  CHECK(s.actors.handled().empty());
}

TEST_CASE("a connection that never says hello is closed with 1008", "[edge][ws]") {
  auto o = server::quick();
  o.hello_time = 200ms;
  server s{o};
  auto client = s.connect();
  REQUIRE(client.upgrade("", json, browser).status == 101);
  CHECK(client.read_message() == "close 1008");
}

TEST_CASE("bad messages get an error with their id and the connection goes on", "[edge][ws]") {
  server s;
  auto client = s.play(json);
  auto bystander = s.play(json);
  const struct {
    std::string frame;
    const char* code;
    const char* re;
  } wrong[] = {{R"({"t":"fly","id":1})", "unknown_type", "\"re\":1,"},
               {R"({"t":"table.watch","id":2,"table":7})", "bad_field", "\"re\":2,"},
               {R"({"t":"lobby.join","id":3,"game":"draw","stake":-5})", "bad_field", "\"re\":3,"},
               {R"([])", "bad_message", "\"re\":0,"},
               {R"({"t":"ping","id":4,"x":)" + std::string(40, '[') + std::string(40, ']') + "}",
                "too_deep", "\"re\":0,"}};
  for (const auto& one : wrong) {
    client.send_frame(text, one.frame);
    const auto answer = client.read_message();
    CAPTURE(answer);
    CHECK(text_in(answer, "code") == one.code);
    CHECK(answer.find(one.re) != std::string::npos);
  }
  client.send_frame(text, R"({"t":"ping","id":9})");
  CHECK(client.read_message() == R"({"t":"ok","re":9})");
  bystander.send_frame(text, R"({"t":"ping","id":1})");
  CHECK(bystander.read_message() == R"({"t":"ok","re":1})");
}

TEST_CASE("violations of the protocol end the connection with their code, and nobody else's",
          "[edge][ws]") {
  server s;
  auto bystander = s.play(msgpack);
  const auto closes = [&](std::string_view subprotocol, int opcode, std::string_view payload) {
    auto client = s.play(subprotocol);
    client.send_frame(opcode, payload);
    return client.read_message();
  };
  CHECK(closes(msgpack, binary, "\xC1") == "close 1007");
  CHECK(closes(msgpack, binary, "") == "close 1007");
  CHECK(closes(msgpack, text, "{}") == "close 1003");
  CHECK(closes(json, binary, "\x80") == "close 1003");
  CHECK(closes(json, text, "{") == "close 1007");
  CHECK(closes(json, text, "\xFF\xFE") == "close 1007");
  CHECK(closes(json, text, std::string(64 * 1024 + 1, ' ')) == "close 1009");
  CHECK(closes(json, 3, "") == "close 1002");  // reserved opcode
  CHECK(closes(json, 0, "continues nothing") == "close 1002");
  {
    auto unmasked = s.play(json);
    unmasked.send(std::string{"\x81\x02{}", 4});
    CHECK(unmasked.read_message() == "close 1002");
    auto fragments = s.play(json);
    fragments.send_frame(text, std::string(40'000, ' '), false);
    fragments.send_frame(0, std::string(40'000, ' '), true);
    CHECK(fragments.read_message() == "close 1009");
    auto huge = s.play(json);
    huge.send(std::string{"\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14});
    CHECK(huge.read_message() == "close 1009");
  }
  bystander.send_frame(binary, wire::encode(wire::encoding::msgpack, {5, wire::ping{}}));
  CHECK(bystander.read_message() == R"({"t":"ok","re":5})");
  CHECK(eventually([&] { return s.actors.sessions() == 1; }));
}

TEST_CASE("a message in fragments, with a ping between them, is one message", "[edge][ws]") {
  server s;
  auto client = s.play(json);
  client.send_frame(text, R"({"t":"ping",)", false);
  client.send_frame(ping, "are you there");
  client.send_frame(0, R"("id":7})", true);
  const auto first = client.read_frame();
  CHECK(first.opcode == pong);
  CHECK(first.payload == "are you there");
  CHECK(client.read_message() == R"({"t":"ok","re":7})");
}

TEST_CASE("a replayed or smaller id is refused", "[edge][ws]") {
  server s;
  auto client = s.play(json);
  client.send_frame(text, watch(5));
  CHECK(client.read_message() == R"({"t":"ok","re":5})");
  for (const int id : {5, 4}) {
    client.send_frame(text, watch(id));
    CHECK(text_in(client.read_message(), "code") == "replayed_id");
  }
  CHECK(s.actors.handled().size() == 1);
}

TEST_CASE("the ninth request in flight is refused, and a place is free once one is answered",
          "[edge][ws]") {
  server s;
  auto client = s.play(json);
  s.actors.is_silent = true;
  for (int id = 1; id <= 9; ++id) client.send_frame(text, watch(id));
  const auto refused = client.read_message();
  CHECK(text_in(refused, "code") == "too_many_in_flight");
  CHECK(refused.find("\"re\":9,") != std::string::npos);
  s.actors.is_silent = false;
  s.actors.push_to_all(
      std::make_shared<const std::string>(wire::push_frame_re("table.events", 3, 0, {})));
  CHECK(client.read_message() == R"({"t":"table.events","re":3})");
  client.send_frame(text, watch(10));
  CHECK(client.read_message() == R"({"t":"ok","re":10})");
  CHECK(s.metric("baraza_edge_request_seconds_count") == 2);
}

TEST_CASE("logout closes the login's sockets within a second, and only its own", "[edge][ws]") {
  server s;
  const auto token = s.guest();
  auto client = s.connect();
  REQUIRE(client.upgrade(token, json).status == 101);
  auto other = s.play(json);
  REQUIRE(eventually([&] { return s.actors.sessions() == 2; }));
  const auto start = std::chrono::steady_clock::now();
  CHECK(s.ask(post("/v1/auth/logout", "", token)).status == 200);
  CHECK(client.read_message() == "close 1008");
  CHECK(std::chrono::steady_clock::now() - start < baraza::tests::slowness * 1s);
  CHECK(s.connect().upgrade(token, json).status == 401);
  other.send_frame(text, R"({"t":"ping","id":1})");
  CHECK(other.read_message() == R"({"t":"ok","re":1})");
}

TEST_CASE("a login that reaches its last hour closes its socket", "[edge][ws]") {
  auto o = server::quick();
  o.ping_after = 200ms;
  server s{o};
  auto client = s.play(json);
  s.skew += 31LL * 24 * 3600 * 1000;  // a guest's 30 days
  CHECK(client.read_message() == "close 1008");
}

TEST_CASE("a stop says when to come back and closes with 1001", "[edge][ws]") {
  server s;
  auto client = s.play(json);
  const auto port = s.at->port();
  s.at->stop(1500);
  CHECK(client.read_message() == R"({"t":"going_away","retry_ms":1500})");
  CHECK(client.read_message() == "close 1001");
  CHECK_THROWS(raw_client{port});
  CHECK(s.actors.sessions() == 0);
}
