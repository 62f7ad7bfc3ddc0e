// Operators and players' accounts in a cluster of real processes: whichever node is asked, every
// edge obeys within a second.
#include <catch2/catch_test_macros.hpp>

#include "tests/cluster/local_cluster.hpp"
#include "tests/http/raw_client.hpp"

using namespace baraza;
using namespace baraza::tests;
using namespace std::chrono_literals;
using http::tests::get;
using http::tests::post;
using http::tests::raw_client;
using http::tests::text_in;

namespace {

constexpr std::string_view json = "baraza.v1.json";

/// Each edge of a local cluster has an address of its own.
struct place {
  std::string address;
  std::uint16_t port;
};
place place_of(LocalCluster& at, const std::string& door) {
  const auto url = at.url(door);  // ws://ADDRESS:PORT/v1/play
  const auto begin = url.find("//") + 2, colon = url.rfind(':');
  return {url.substr(begin, colon - begin),
          static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)))};
}
raw_client to(const place& at) { return raw_client{at.address.c_str(), at.port}; }

}  // namespace

TEST_CASE("a player is disabled on every edge within a second, and his table goes on by its clock",
          "[operators]") {
  LocalCluster::options options;
  options.nodes = 2;
  options.edges = 2;
  options.settings = {"cluster.shards=64"};
  LocalCluster cluster{std::move(options)};
  const auto one = place_of(cluster, "edge-1"), two = place_of(cluster, "edge-2");
  const auto made = to(one).ask(post(
      "/v1/auth/register", R"({"name":"a@b.example","password":"long enough","display":"A"})"));
  REQUIRE(made.status == 201);
  const auto player = text_in(made.body, "player"), access = text_in(made.body, "access_token");
  const auto rival = text_in(to(two).ask(post("/v1/auth/guest", "{}")).body, "access_token");
  const auto profile = [&](const place& at) {
    return to(at).ask(get("/v1/profile", access)).status;
  };
  CHECK(profile(one) == 200);
  CHECK(profile(two) == 200);  // both edges believe the token for a while now
  auto here = to(one), there = to(two), other = to(two);
  REQUIRE(here.upgrade(access, json).status == 101);
  REQUIRE(there.upgrade(access, json).status == 101);
  REQUIRE(other.upgrade(rival, json).status == 101);
  constexpr std::string_view join = R"({"t":"lobby.join","id":1,"game":"draw","stake":500})";
  const auto until_matched = [](raw_client& at) {
    std::string said;
    do said = at.read_message();
    while (!said.empty() && text_in(said, "t") != "lobby.matched");
    return text_in(said, "table");
  };
  there.send_frame(1, join);
  other.send_frame(1, join);
  const auto table = until_matched(other);
  REQUIRE_FALSE(table.empty());
  REQUIRE(until_matched(there) == table);

  // Asked on a node that has no players, and no part in the match's edges.
  const auto begin = std::chrono::steady_clock::now();
  const auto [code, said] = cluster.run(
      {"player", "disable", player, "--admin", cluster.admin("node-1"), "--as", "amina"});
  INFO(said);
  REQUIRE(code == 0);
  CHECK(said.find(player + " is disabled; logins ended: 1") != std::string::npos);
  const auto is_closed = [](raw_client& at) {
    std::string last = "{";
    while (last.starts_with("{")) last = at.read_message(5s);
    return last == "close 1008";
  };
  CHECK(is_closed(here));
  CHECK(is_closed(there));
  CHECK(std::chrono::steady_clock::now() - begin < 3s);  // a process was started, too
  CHECK(profile(one) == 401);
  CHECK(profile(two) == 401);
  CHECK(to(two).upgrade(access, json).status == 401);
  CHECK(to(two)
            .ask(post("/v1/auth/login", R"({"name":"a@b.example","password":"long enough"})"))
            .status == 403);
  // The table lives: it tells the one who waits how it ends, by its own clock.
  other.send_frame(1, R"({"t":"table.watch","id":2,"table":")" + table + R"(","seq":0})");
  std::string last;
  do last = other.read_message(30s);
  while (!last.empty() && last.find("\"aborted\"") == std::string::npos);
  CHECK(last.find("\"aborted\"") != std::string::npos);

  const auto [again, why] =
      cluster.run({"player", "disable", player, "--admin", cluster.admin("edge-2")});
  CHECK(again == 0);
  CHECK(why.find("is disabled already") != std::string::npos);
  CHECK(cluster.run({"player", "enable", player, "--admin", cluster.admin("edge-2"), "--json"})
            .second.find(R"({"disabled":false,"changed":true,"ended":0})") != std::string::npos);
  CHECK(to(two)
            .ask(post("/v1/auth/login", R"({"name":"a@b.example","password":"long enough"})"))
            .status == 200);
  CHECK(cluster.run({"player", "logout", player, "--admin", cluster.admin("edge-1")}).first == 0);
  const auto record = cluster.run({"incident", "list", "--admin", cluster.admin("node-2")}).second;
  INFO(record);
  for (const auto* what : {"disable_ordered", "enable_ordered", "logout_ordered"})
    CHECK(record.find(what) != std::string::npos);
  CHECK(record.find("by amina from 127.") != std::string::npos);
  CHECK(cluster.run({"player", "disable", "asha", "--admin", cluster.admin("edge-1")}).first == 2);
  cluster.ledger_verify();
}
