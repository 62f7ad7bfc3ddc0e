#include "http/client/cluster_screen.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sstream>

#include "http/wire.hpp"

using namespace baraza;

namespace {

std::string packed(const std::string& json) {
  const auto out = http::wire::from_json(json);
  REQUIRE(out);
  return *out;
}
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
void require_narrow(const std::string& text) {
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    CAPTURE(line);
    REQUIRE(line.size() <= client::screen_columns);
  }
}

const std::string busy = R"({"view":12,"level":1,"shards":1024,"free":3,"coordinator":"node-1",
"self":"edge-1","suspended":false,"members":[
{"name":"node-1","status":"up","roles":"game","zone":"east","version":"0.1.0","shards":511,
 "load":{"sessions":0,"tables":20,"sent_per_s":40,"received_per_s":2,"commits_per_s":70,
         "commit_us_p99":16384,"suspended":false}},
{"name":"a-very-long-name-of-a-node","status":"draining","roles":"edge,game,payments",
 "zone":"north-east-3","version":"0.1.0-rc1","shards":510,"load":null},
{"name":"edge-1","status":"up","roles":"edge","zone":"","version":"0.1.0","shards":0,
 "load":{"sessions":41,"tables":0,"sent_per_s":9,"received_per_s":8,"commits_per_s":0,
         "commit_us_p99":0,"suspended":true}}],
"links":[{"name":"node-1","out":true,"in":true,"error":""},
         {"name":"node-2","out":false,"in":false,
          "error":"no answer within 2000 ms, which is a long sentence that does not fit at all"}],
"events":[{"at":1000,"event":"old","detail":""},
          {"at":3723000,"event":"membership.up","detail":"view 12"}]})";

}  // namespace

TEST_CASE("a cluster fits into eighty columns, whatever its names") {
  const auto text = client::cluster_screen(packed(busy));
  INFO(text);
  require_narrow(text);
  CHECK(
      contains(text, "view 12, level 1, 1024 shards (3 free), coordinator node-1, told by edge-1"));
  CHECK(contains(text, "41 players, 20 tables, 49 messages/s between nodes, 70 commits/s"));
  CHECK(contains(text, "a-very-long-~"));
  CHECK(contains(text, "suspend!"));
  CHECK(contains(text, "16ms"));
  CHECK(contains(text, "link edge-1 <-> node-2 is down: no answer"));
  CHECK_FALSE(contains(text, "-> node-1"));
  CHECK(contains(text, "00:00:01  old"));
  CHECK(contains(text, "01:02:03  membership.up  view 12"));
  CHECK_FALSE(contains(client::cluster_screen(packed(busy), 1), "  old"));
}

TEST_CASE("what a node did not tell is not shown as nothing") {
  const auto text = client::node_table(packed(busy));
  std::istringstream in{text};
  std::string line;
  for (int i = 0; i < 3; ++i) std::getline(in, line);
  CHECK(contains(line, "510       ?      ?      ?      ?"));
}

TEST_CASE("an answer that cannot be read breaks nothing") {
  require_narrow(client::cluster_screen(""));
  require_narrow(client::shard_table(packed(R"({"owners":7,"free":[1]})")));
  CHECK(contains(client::cluster_screen(packed(R"({"alone":true,"load":{"sessions":2}})")),
                 "alone: 2 players"));
}

TEST_CASE("a long list of shards goes on in the next line") {
  std::string list = "0";
  for (int i = 2; i < 200; i += 2) list += "," + std::to_string(i);
  const auto text = client::shard_table(packed(
      R"({"view":3,"shards":1024,"owners":[{"name":"node-1","count":100,"shards":")" + list +
      R"("},{"name":"node-2","count":0,"shards":""}],"free":[{"shard":7,"next":"node-2"}]})"));
  INFO(text);
  require_narrow(text);
  CHECK(contains(text, "node-1          100  0,2,4"));
  CHECK(contains(text, "node-2            0\n"));
  CHECK(contains(text, "shard 7 is free, on its way to node-2"));
  std::string joined;
  for (const char c : text.substr(text.find("0,2,4"), text.find("node-2 ") - text.find("0,2,4")))
    if (c != ' ' && c != '\n') joined += c;
  CHECK(joined == list);
}
