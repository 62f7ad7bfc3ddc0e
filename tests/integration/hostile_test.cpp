// A player who sends whatever might hurt, beside two who play for their stakes: each message gets
// its code and its id, the two notice nothing, and the ledger is clean.
#include <catch2/catch_test_macros.hpp>

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

std::string guest(const real_server& at) {
  const auto answer = raw_client{at.port()}.ask(post("/v1/auth/guest", "{}"));
  REQUIRE(answer.status == 201);
  return text_in(answer.body, "access_token");
}

/// One hostile connection. Sends requests and reads until each one's answer.
struct hostile {
  explicit hostile(const real_server& at) : socket{at.port()} {
    REQUIRE(socket.upgrade(guest(at), "baraza.v1.json").status == 101);
  }
  /// @param fields of the request behind its id
  std::string ask(const std::string& type, const std::string& fields) {
    socket.send_frame(1, R"({"t":")" + type + R"(","id":)" + std::to_string(++id) + fields + "}");
    return answer();
  }
  std::string answer() {
    const auto re = "\"re\":" + std::to_string(id);
    for (;;) {
      auto message = socket.read_message();
      if (!message.starts_with("{") || message.find(re) != std::string::npos) return message;
    }
  }
  raw_client socket;
  std::uint64_t id = 0;
};

}  // namespace

TEST_CASE("a hostile player gets refusals and nobody else notices", "[serve][hostile]") {
  real_server at;
  at.start();
  duel match{at.url()};
  REQUIRE(match.until([&] { return match.is_playing(); }));
  match.may_draw(true);
  REQUIRE(match.until([&] { return match.cards() >= 1 || match.is_over(); }));
  match.may_draw(false);
  const auto theirs = R"(,"table":")" + match.table().to_string() + "\"";
  const std::string nobodys = R"(,"table":"0190a000-0000-7000-8000-000000000001")";
  const std::string hash = R"(,"hash":")" + std::string(64, 'a') + "\"";
  const std::string opening = R"(,"seed":"00","salt":")" + std::string(32, '0') + "\"";
  const std::string draw = R"(,"command":1,"action":{"t":"draw"})";
  const auto join = [](const std::string& stake) {
    return R"(,"game":"draw","money":"DEMO","stake":)" + stake;
  };
  struct row {
    std::string type, fields, code;
  };
  const row rows[] = {
      // other people's table, and tables that are none
      {"table.act", theirs + draw, "not_seated"},
      {"table.concede", theirs + R"(,"command":1)", "not_seated"},
      {"table.ready", theirs + hash, "not_seated"},
      {"table.open", theirs + opening, "not_seated"},
      {"table.act", nobodys + draw, "unknown_table"},
      {"table.watch", R"(,"table":"0190a000-0000-4000-8000-000000000001")", "unknown_table"},
      {"table.watch", R"(,"table":"../../etc/passwd")", "bad_field"},
      // stakes
      {"lobby.join", join("-500"), "bad_field"},
      {"lobby.join", join("0"), "bad_field"},
      {"lobby.join", join("9223372036854775808"), "bad_field"},
      {"lobby.join", join("18446744073709551616"), "bad_field"},
      {"lobby.join", join("1e3"), "bad_field"},
      {"lobby.join", join("\"500\""), "bad_field"},
      {"lobby.join", join("9223372036854775807"), "bad_field"},
      {"lobby.join", join("9007199254740991"), "bad_stake"},
      {"lobby.join", R"(,"game":"draw","money":"GOLD","stake":500)", "bad_field"},
      {"lobby.join", R"(,"game":"roulette","stake":500)", "unknown_game"},
      // shapes
      {"table.act", theirs + R"(,"command":-1,"action":{})", "bad_field"},
      {"table.act", theirs + R"(,"command":1,"action":7)", "bad_field"},
      {"table.act", theirs + R"(,"command":1,"command":1,"action":{})", "bad_field"},
      {"wallet.steal", "", "unknown_type"},
      {"hello", R"(,"token":"bza_x")", "already_authenticated"},
  };
  hostile other{at};
  for (const auto& r : rows) {
    CAPTURE(r.type, r.fields);
    const auto answer = other.ask(r.type, r.fields);
    CAPTURE(answer);
    CHECK(text_in(answer, "t") == "error");
    CHECK(text_in(answer, "code") == r.code);
    CHECK_FALSE(text_in(answer, "message").empty());
  }
  CHECK(text_in(other.ask("ping", ""), "t") == "ok");
  --other.id;
  CHECK(text_in(other.ask("ping", ""), "code") == "replayed_id");
  // Bytes too deep to find an id in are answered all the same, and the connection goes on.
  other.socket.send_frame(1, std::string(30, '[') + std::string(30, ']'));
  const auto deep = other.socket.read_message();
  CAPTURE(deep);
  CHECK(text_in(deep, "code") == "too_deep");
  // A stranger may watch; what he sees is a spectator's view.
  const auto view = other.ask("table.watch", theirs);
  CHECK(view.find(R"("seat":null)") != std::string::npos);
  CHECK(view.find("server_seed") == std::string::npos);

  match.may_draw(true);
  REQUIRE(match.until([&] { return match.is_over(); }));
  CHECK(match.end() == "ended won");
  CHECK(at.run({"ledger", "verify", "--data", at.data()}).first == 0);
}

TEST_CASE("floods end for the one who sends them", "[serve][hostile]") {
  real_server at{{"--set", "http.messages_per_s=20"}};  // far less than any build answers
  at.start();
  duel match{at.url()};
  REQUIRE(match.until([&] { return match.is_playing(); }));
  match.may_draw(true);
  hostile flooder{at};
  std::string flood;
  for (int i = 1; i <= 2000; ++i) {
    const auto ping = R"({"t":"ping","id":)" + std::to_string(i) + "}";
    flood += std::string{"\x81", 1} + static_cast<char>(0x80 | ping.size()) + std::string(4, '\0') +
             ping;
  }
  flooder.socket.send(flood);
  std::string last = "{";
  int limited = 0;
  while (last.starts_with("{")) {
    last = flooder.socket.read_message();
    limited += text_in(last, "code") == "rate_limited" ? 1 : 0;
  }
  CHECK(last == "close 1008");
  CHECK(limited > 0);
  raw_client garbage{at.port()};
  REQUIRE(garbage.upgrade(guest(at), "baraza.v1.msgpack").status == 101);
  garbage.send_frame(2, "\x82\xa2id\x05\xa1x" + std::string(60'000, '\x91') + '\xC0');
  const auto refused = garbage.read_message();
  CAPTURE(refused);
  CHECK(text_in(refused, "code") == "too_deep");
  CHECK(refused.find("\"re\":5") != std::string::npos);
  garbage.send_frame(2, "\xdf\xff\xff\xff\xff");  // a map of four billion
  CHECK(garbage.read_message() == "close 1007");
  REQUIRE(match.until([&] { return match.is_over(); }));
  CHECK(match.end() == "ended won");
}
