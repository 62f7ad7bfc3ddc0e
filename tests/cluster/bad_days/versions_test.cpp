// Binaries of other versions beside this one: tests/cluster/versions.
#include "tests/cluster/bad_days/bad_day.hpp"
#include "tests/integration/postgres_server.hpp"

using namespace baraza::tests;

namespace {

const std::string next = BARAZA_NEXT_BINARY, after_next = BARAZA_AFTER_NEXT_BINARY;

std::string level(LocalCluster& cluster) {
  return sql_at(cluster.store_url(), "select level from cluster_view");
}
std::string members_of_level(LocalCluster& cluster, int level) {
  return sql_at(cluster.store_url(),
                "select count(*) from node where status in ('up', 'draining') and level = " +
                    std::to_string(level));
}

}  // namespace

TEST_CASE("a roll to the next version under load: both play side by side, then the level rises",
          "[bad_days]") {
  bad_day day{{.nodes = 2, .edges = 2}};
  const auto roll = [&](const std::string& who) {
    CAPTURE(who);
    CHECK(day.cluster.drain(who) == 0);
    day.cluster.restart(who, next);
    CHECK(day.plays("edge-2"));
  };
  roll("node-1");
  CHECK(members_of_level(day.cluster, 1) == "3");
  CHECK(members_of_level(day.cluster, 2) == "1");
  roll("node-2");  // all shards are with the new ones, the players still with the old edges
  CHECK(level(day.cluster) == "1");
  for (const auto& each : day.everybody()) {
    CAPTURE(each);  // nobody met a word he could not read
    CHECK(day.cluster.log(each).find("unreadable") == std::string::npos);
  }
  roll("edge-1");
  CHECK(level(day.cluster) == "1");
  roll("edge-2");
  CHECK(becomes_true(10s, [&] { return level(day.cluster) == "2"; }));
  const auto old = day.cluster.add_stranger({});
  CHECK(day.cluster.wait_for_end(old, 30s).value_or(-1) == 1);
  CHECK(day.cluster.log(old).find("written at level 2, and this binary is of level 1") !=
        std::string::npos);
  day.require_survived();
}

TEST_CASE("a version too new for its peers gets nowhere, says why, and hurts nobody",
          "[bad_days]") {
  LocalCluster cluster{{.nodes = 2, .edges = 1}};
  const auto other = cluster.add_stranger({}, after_next);
  const auto says = [&](const std::string& who) {
    const auto log = cluster.log(who);
    return log.find("speaks link protocols 2 to 3") != std::string::npos ||
           log.find("speaks link protocols 1 to 1") != std::string::npos;
  };
  CHECK(becomes_true(20s, [&] { return says(other) && says("node-1"); }));
  CHECK_FALSE(cluster.is_ready(other));
  CHECK(level(cluster) == "1");
  const auto bots = cluster.load("edge-1", 2);
  bad_day::play(2s);
  const auto played = bots->stop();
  INFO(played.text);
  CHECK(played.exit_code == 0);
  CHECK(cluster.is_ready("node-1"));
  CHECK(cluster.is_ready("node-2"));
  cluster.ledger_verify();
}
