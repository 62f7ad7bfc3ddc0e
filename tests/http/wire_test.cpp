#include <catch2/catch_test_macros.hpp>

#include "http/msgpack.hpp"
#include "http/wire.hpp"
#include "http/wire_json.hpp"

using namespace baraza;
using namespace baraza::http;

namespace {

const std::string table = "0190a000-0000-7000-8000-000000000001";

std::string packed(std::string_view json) {
  auto out = wire::from_json(json);
  REQUIRE(out);
  return *out;
}
wire::wire_error error_of(std::string_view json) {
  auto as_json = wire::decode(wire::encoding::json, json);
  auto as_msgpack = wire::decode(wire::encoding::msgpack, packed(json));
  CAPTURE(json);
  REQUIRE(std::holds_alternative<wire::wire_error>(as_json));
  REQUIRE(std::holds_alternative<wire::wire_error>(as_msgpack));
  CHECK(std::get<wire::wire_error>(as_json).code == std::get<wire::wire_error>(as_msgpack).code);
  return std::get<wire::wire_error>(as_json);
}
template <class T>
T read(std::string_view json) {
  auto out = wire::decode(wire::encoding::json, json);
  CAPTURE(json);
  REQUIRE(std::holds_alternative<wire::client_frame>(out));
  return std::get<T>(std::get<wire::client_frame>(out).body);
}
wire::wire_error raw_error(std::string_view bytes) {
  auto out = wire::decode(wire::encoding::msgpack, bytes);
  REQUIRE(std::holds_alternative<wire::wire_error>(out));
  return std::get<wire::wire_error>(out);
}

}  // namespace

TEST_CASE("a move is read from either encoding, whatever the order of its fields", "[wire]") {
  const auto json = R"({"action":{"t":"stand","n":-3},"command":9,"table":")" + table +
                    R"(","id":7,"t":"table.act","later":[1,{"x":2}]})";
  const auto act = read<wire::table_act>(json);
  CHECK(act.table.to_string() == table);
  CHECK(act.command == 9);
  CHECK(wire::to_json(act.action) == R"({"t":"stand","n":-3})");
}

TEST_CASE("seeds, hashes and tables may be byte strings in MessagePack", "[wire]") {
  std::string bytes;
  pack::put_map(bytes, 5);
  pack::put_text(bytes, "t");
  pack::put_text(bytes, "table.open");
  pack::put_text(bytes, "id");
  pack::put_unsigned(bytes, 3);
  pack::put_text(bytes, "table");
  pack::put_binary(bytes, std::string(16, '\x11'));
  pack::put_text(bytes, "seed");
  pack::put_binary(bytes, "my seed");
  pack::put_text(bytes, "salt");
  pack::put_binary(bytes, std::string(16, '\x22'));
  auto out = wire::decode(wire::encoding::msgpack, bytes);
  REQUIRE(std::holds_alternative<wire::client_frame>(out));
  const auto& open = std::get<wire::table_open>(std::get<wire::client_frame>(out).body);
  CHECK(open.seed == "my seed");
  CHECK(open.salt[15] == 0x22);
}

TEST_CASE("wrong fields are refused with a sentence and the request's id", "[wire]") {
  const struct {
    const char* json;
    const char* code;
    std::uint64_t id;
  } wrong[] = {
      {R"({"t":"table.act","id":4,"table":"x","command":1,"action":{}})", "bad_field", 4},
      {R"({"t":"table.act","id":4,"table":"0190a000-0000-7000-8000-000000000001","command":0,"action":{}})",
       "bad_field", 4},
      {R"({"t":"table.act","id":4,"table":"0190a000-0000-7000-8000-000000000001","command":1.5,"action":{}})",
       "bad_field", 4},
      {R"({"t":"table.act","id":4,"table":"0190a000-0000-7000-8000-000000000001","command":1,"action":[]})",
       "bad_field", 4},
      {R"({"t":"table.act","id":4,"table":"0190a000-0000-7000-8000-000000000001","command":1})",
       "bad_field", 4},
      {R"({"t":"table.watch","id":5,"table":"0190a000-0000-7000-8000-000000000001","seq":-1})",
       "bad_field", 5},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":-100})", "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":0})", "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":9223372036854775808})", "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":"100"})", "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":100,"money":"USD"})", "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"a name that is longer than 32 bytes","stake":100})",
       "bad_field", 6},
      {R"({"t":"lobby.join","id":6,"game":"draw","stake":100,"options":7})", "bad_field", 6},
      {R"({"t":"table.ready","id":8,"table":"0190a000-0000-7000-8000-000000000001","hash":"abcd"})",
       "bad_field", 8},
      {R"({"t":"table.open","id":8,)"
       R"("table":"0190a000-0000-7000-8000-000000000001","seed":"","salt":"00112233445566778899aabbccddeeff"})",
       "bad_field", 8},
      {R"({"t":"table.open","id":8,)"
       R"("table":"0190a000-0000-7000-8000-000000000001","seed":"abc","salt":"00112233445566778899aabbccddeeff"})",
       "bad_field", 8},
      {R"({"t":"hello","id":9})", "bad_field", 9},
      {R"({"t":"fly","id":9})", "unknown_type", 9},
      {R"({"t":7,"id":9})", "bad_message", 9},
      {R"({"id":9})", "bad_message", 9},
      {R"({"t":"ping"})", "bad_message", 0},
      {R"({"t":"ping","id":0})", "bad_message", 0},
      {R"({"t":"ping","id":-1})", "bad_message", 0},
      {R"({"t":"ping","id":9007199254740992})", "bad_message", 0},
      {R"([1,2])", "bad_message", 0},
      {R"("ping")", "bad_message", 0},
  };
  for (const auto& one : wrong) {
    const auto why = error_of(one.json);
    CAPTURE(one.json, why.sentence);
    CHECK(why.code == one.code);
    CHECK(why.id == one.id);
    CHECK(why.close == 0);
    CHECK(why.sentence.size() > 10);
  }
}

TEST_CASE("a field that occurs twice is refused, an unknown one is not looked at", "[wire]") {
  CHECK(error_of(R"({"t":"ping","id":1,"id":2})").code == "bad_field");
  CHECK(error_of(R"({"t":"wallet.get","id":1,"money":"DEMO","money":"KES"})").code == "bad_field");
  read<wire::ping>(R"({"t":"ping","id":1,"x":1,"x":2,"stake":"not looked at"})");
}

TEST_CASE("bytes that are no value end the connection with 1007", "[wire]") {
  const auto good = packed(R"({"t":"ping","id":300})");
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    CHECK(raw_error(std::string_view{good}.substr(0, cut)).close == 1007);
  CHECK(raw_error(good + "\xC0").close == 1007);  // bytes after the end
  CHECK(raw_error("\xC1").close == 1007);         // the one byte that begins nothing
}

TEST_CASE("JSON that is none ends the connection with 1007", "[wire]") {
  for (const std::string_view bad :
       {"", "{", "{\"t\":\"ping\",\"id\":1}x", "{\"t\":\"ping\",\"id\":1} {}", "{'t':1}",
        "{\"t\":\"\xFF\"}", "nul"}) {
    auto out = wire::decode(wire::encoding::json, bad);
    CAPTURE(bad);
    REQUIRE(std::holds_alternative<wire::wire_error>(out));
    CHECK(std::get<wire::wire_error>(out).close == 1007);
  }
}

TEST_CASE("claimed lengths cost nothing", "[wire]") {
  using namespace std::string_literals;
  const std::string heads[] = {"\xDF\xFF\xFF\xFF\xFF"s, "\xDD\xFF\xFF\xFF\xFF"s,
                               "\xDB\xFF\xFF\xFF\xFF"s, "\xC6\xFF\xFF\xFF\xFF"s,
                               "\xC9\xFF\xFF\xFF\xFF\x01"s};
  for (const auto& head : heads) {
    CHECK(raw_error(head).code == "bad_message");
    CHECK(raw_error("\x81\xA1t"s + head).close == 1007);
  }
}

TEST_CASE("nesting beyond 16 is refused, 16 is not", "[wire]") {
  const auto nested = [](int depth) {
    std::string json =
        R"({"t":"table.act","id":5,"table":")" + table + R"(","command":1,"action":{"a":)";
    json += std::string(static_cast<std::size_t>(depth), '[') +
            std::string(static_cast<std::size_t>(depth), ']') + "}}";
    return json;
  };
  read<wire::table_act>(nested(14));  // the message and its action are two
  auto out = wire::decode(wire::encoding::json, nested(15));
  REQUIRE(std::holds_alternative<wire::wire_error>(out));
  CHECK(std::get<wire::wire_error>(out).code == "too_deep");
  std::string deep;
  pack::put_map(deep, 2);
  pack::put_text(deep, "id");
  pack::put_unsigned(deep, 5);
  pack::put_text(deep, "x");
  deep += std::string(60'000, '\x91') + '\xC0';
  CHECK(raw_error(deep).code == "too_deep");
  CHECK(raw_error(deep).id == 5);
}

TEST_CASE("text that is not UTF-8 ends the connection", "[wire]") {
  using namespace std::string_literals;
  for (const auto& bad :
       {"\xFF"s, "\xC0\xAF"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s, "\xE2\x82"s}) {
    CHECK_FALSE(pack::is_utf8(bad));
    std::string bytes;
    pack::put_map(bytes, 3);
    pack::put_text(bytes, "t");
    pack::put_text(bytes, "ping");
    pack::put_text(bytes, "id");
    pack::put_unsigned(bytes, 1);
    pack::put_text(bytes, "x");
    pack::put_text(bytes, bad);
    CHECK(raw_error(bytes).close == 1007);
  }
  CHECK(pack::is_utf8("Aß€😀"));
}

TEST_CASE("frames show what they answer", "[wire]") {
  CHECK(wire::answered(wire::ok_frame(77)) == 77);
  CHECK(wire::answered(wire::error_frame(78, "refused", "No.", 5)) == 78);
  CHECK(wire::answered(wire::push_frame_re("table.events", 79, 0, {})) == 79);
  CHECK(wire::answered(wire::push_frame("going_away", 0, {})) == 0);
  CHECK(wire::answered("") == 0);
}

TEST_CASE("JSON of a frame is valid whatever its strings hold", "[wire]") {
  std::string bytes;
  pack::put_map(bytes, 5);
  pack::put_text(bytes, "a\"\n");
  pack::put_text(bytes, "\xFFz\x01");
  pack::put_text(bytes, "b");
  pack::put_binary(bytes, "\x01\xAB");
  pack::put_text(bytes, "c");
  pack::put_real(bytes, 0.5);
  pack::put_text(bytes, "d");
  pack::put_signed(bytes, INT64_MIN);
  pack::put_text(bytes, "e");
  pack::put_unsigned(bytes, UINT64_MAX);
  CHECK(
      wire::to_json(bytes) ==
      R"({"a\"\u000a":"�z\u0001","b":"01ab","c":0.5,"d":-9223372036854775808,"e":18446744073709551615})");
  CHECK(wire::to_json("\x81").empty());
  CHECK(wire::to_json(bytes + "\xC0").empty());
}

TEST_CASE("numbers keep their value and take their shortest form", "[wire]") {
  for (const std::int64_t n :
       {0L,     1L,          127L,        128L,      255L,         256L,         65535L,
        65536L, 4294967295L, 4294967296L, INT64_MAX, -1L,          -32L,         -33L,
        -128L,  -129L,       -32768L,     -32769L,   -2147483648L, -2147483649L, INT64_MIN}) {
    std::string bytes;
    pack::put_signed(bytes, n);
    pack::cursor at{bytes};
    pack::item out;
    REQUIRE(at.next(out));
    CHECK(static_cast<std::int64_t>(out.number) == n);
    CHECK(at.at_end());
    CHECK(wire::to_json(bytes) == std::to_string(n));
    CHECK(wire::from_json(std::to_string(n)) == bytes);
  }
}
