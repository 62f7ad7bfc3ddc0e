// Processes that die or stand still.
#include "tests/cluster/bad_days/bad_day.hpp"

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
