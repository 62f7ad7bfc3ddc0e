// Processes that die or stand still.
#include "tests/cluster/bad_days/bad_day.hpp"
#include "tests/integration/postgres_server.hpp"

using namespace baraza::tests;

namespace {

constexpr int fenced_exit = 70;  // the node ended itself: another has its shards

}  // namespace

TEST_CASE("kill -9 of a game node", "[bad_days]") {
  bad_day day;
  day.cluster.kill("node-2");
  day.play(3s);
  day.cluster.restart("node-2");
  day.play(2s);
  day.require_survived();
}

TEST_CASE("kill -9 of the coordinator", "[bad_days]") {
  bad_day day;
  const auto first = day.coordinator();
  REQUIRE_FALSE(first.empty());
  day.cluster.kill(first);
  CHECK(becomes_true(20s, [&] { return day.coordinator() != first; }));
  day.cluster.restart(first);  // which may be an edge, whose players wait for it
  day.play(2s);
  day.require_survived();
}

TEST_CASE("kill -9 of two nodes at once", "[bad_days]") {
  bad_day day;
  day.cluster.kill_at_once({"node-1", "node-3"});
  day.play(3s);
  day.require_survived();
}

TEST_CASE("kill -9 of an edge: its players come back when it does", "[bad_days]") {
  bad_day day;
  day.cluster.kill("edge-1");
  day.play(1s);
  day.cluster.restart("edge-1");
  day.play(2s);
  day.require_survived();
}

TEST_CASE("kill -9 of an edge that stays dead: its players go on at another", "[bad_days]") {
  LocalCluster cluster;
  const auto bots = cluster.load("edge-1", 4, {"edge-2"});
  const auto events = [&] {
    return std::stoll(sql_at(cluster.store_url(), "select count(*) from journal"));
  };
  const auto grows = [&](long long by) {
    const auto before = events();
    return becomes_true(40s, [&] { return events() > before + by; });
  };
  REQUIRE(grows(200));
  cluster.kill("edge-1");
  CHECK(grows(200));  // nobody else plays
  cluster.restart("edge-1");
  const auto played = bots->stop();
  INFO(played.text);
  CHECK(played.exit_code == 0);
  CHECK(played.lost == 0);
  CHECK(played.verified == played.acknowledged);
  CHECK(played.reconnects >= 8);
  cluster.ledger_verify();
}

TEST_CASE("kill -9 of every node and edge", "[bad_days]") {
  bad_day day;
  const auto all = day.everybody();
  day.cluster.kill_at_once(all);
  for (const auto& each : all) day.cluster.cluster().restart(each);
  day.cluster.wait_until_ready();
  day.require_survived();
}

TEST_CASE("a node that stood still for 30 s writes nothing more and ends itself", "[bad_days]") {
  bad_day day;
  day.cluster.pause("node-1");
  CHECK(day.plays("edge-1", 15s));  // long before it wakes
  day.play(25s);
  day.cluster.resume("node-1");
  CHECK(day.cluster.wait_for_end("node-1", 15s).value_or(-1) == fenced_exit);
  day.cluster.restart("node-1");
  day.require_survived();
}

TEST_CASE("a rolling restart of every node under load", "[bad_days]") {
  bad_day day;
  for (const auto& each : day.cluster.nodes()) {
    CAPTURE(each);
    CHECK(day.cluster.drain(each) == 0);
    day.cluster.restart(each);
  }
  day.require_survived();
}

// The first gives its shards to the second, which is told to end while they are on their way to it.
TEST_CASE("every node is told to end, one after the other, and all come back", "[bad_days]") {
  bad_day day;
  const auto before = sql_at(day.cluster.store_url(), "select count(*) from shard");
  for (const auto& each : day.cluster.nodes()) {
    day.cluster.cluster().drain(each);
    day.play(100ms);
  }
  for (const auto& each : day.cluster.nodes())
    CHECK(day.cluster.wait_for_end(each, 60s).value_or(-1) == 0);
  CHECK(sql_at(day.cluster.store_url(), "select count(*) from shard where owner is null") ==
        before);
  for (const auto& each : day.cluster.nodes()) day.cluster.cluster().restart(each);
  day.cluster.wait_until_ready();
  day.require_survived();
}
