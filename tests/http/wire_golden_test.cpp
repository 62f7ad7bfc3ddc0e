// tests/golden/wire.json: every message and frame in both encodings, shared with clients in other
// languages.
#include <catch2/catch_test_macros.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "http/msgpack.hpp"
#include "http/wire.hpp"

using namespace baraza::http;
namespace json = boost::json;

namespace {

json::array golden() {
  std::ifstream file{BARAZA_GOLDEN_DIR "/wire.json"};
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_array();
}
std::string text_of(const json::object& entry, const char* name) {
  const auto& s = entry.at(name).as_string();
  return {s.data(), s.size()};
}

}  // namespace

TEST_CASE("golden bytes of what clients send are decoded and encoded to the bit",
          "[wire][golden]") {
  std::set<std::string> types;
  for (const auto& one : golden()) {
    const auto& entry = one.as_object();
    if (text_of(entry, "from") != "client") continue;
    const auto hex = text_of(entry, "msgpack"), as_json = json::serialize(entry.at("json"));
    CAPTURE(as_json);
    std::string bytes(hex.size() / 2, '\0');
    REQUIRE(pack::from_hex(hex, bytes.data(), bytes.size()));
    auto a = wire::decode(wire::encoding::msgpack, bytes);
    auto b = wire::decode(wire::encoding::json, as_json);
    REQUIRE(std::holds_alternative<wire::client_frame>(a));
    REQUIRE(std::holds_alternative<wire::client_frame>(b));
    for (const auto& read : {std::get<wire::client_frame>(a), std::get<wire::client_frame>(b)}) {
      CHECK(pack::to_hex(wire::encode(wire::encoding::msgpack, read)) == hex);
      CHECK(wire::encode(wire::encoding::json, read) == as_json);
    }
    types.insert(text_of(entry.at("json").as_object(), "t"));
  }
  CHECK(types.size() == std::variant_size_v<wire::client_message>);
}

TEST_CASE("golden bytes of server frames are their JSON", "[wire][golden]") {
  int seen = 0;
  for (const auto& one : golden()) {
    const auto& entry = one.as_object();
    if (text_of(entry, "from") != "server") continue;
    const auto hex = text_of(entry, "msgpack"), as_json = json::serialize(entry.at("json"));
    std::string bytes(hex.size() / 2, '\0');
    REQUIRE(pack::from_hex(hex, bytes.data(), bytes.size()));
    CHECK(wire::to_json(bytes) == as_json);
    CHECK(wire::from_json(as_json) == bytes);
    ++seen;
  }
  CHECK(seen >= 4);
  CHECK(wire::to_json(wire::error_frame(7, "bad_field", "No.", 20)) ==
        R"({"t":"error","re":7,"code":"bad_field","message":"No.","retry_ms":20})");
}
