// Everybody lives, but not everybody hears everybody.
#include "tests/cluster/bad_days/bad_day.hpp"

using namespace baraza::tests;
using baraza::cluster::local::cut;

namespace {

/// Cuts, lets time pass, heals; a node that was declared dead meanwhile is started again.
void part_and_heal(bad_day& day, const cut& what, std::chrono::milliseconds time) {
  day.cluster.partition(what);
  day.play(time);
  CHECK(day.plays("edge-2", 20s));  // the others go on
  day.cluster.heal();
  // Whoever was declared dead learns it from the store, and ends; nobody else does.
  (void)day.cluster.wait_for_end(what.node, 10s);
  for (const auto& each : day.cluster.nodes()) {
    CAPTURE(each);
    if (each == what.node && !day.cluster.is_running(each)) day.cluster.restart(each);
    CHECK(day.cluster.is_running(each));
  }
  day.cluster.wait_until_ready();
  day.require_survived();
}

}  // namespace

TEST_CASE("a node is parted from the others, not from the store", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1"}, 10s);
}

TEST_CASE("a node is parted from the others with a bang", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1", .is_reset = true}, 10s);
}

TEST_CASE("a node is parted from the store, not from the others", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1", .from = "store"}, 10s);
}

TEST_CASE("a node is parted from the others and from the store", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1", .from = "all"}, 10s);
}

TEST_CASE("what a node sends to the others is lost", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1", .which = cut::way::out}, 10s);
}

TEST_CASE("what is sent to a node is lost", "[bad_days]") {
  bad_day day;
  part_and_heal(day, {.node = "node-1", .which = cut::way::in}, 10s);
}

TEST_CASE("two nodes do not hear each other, everybody else does", "[bad_days]") {
  bad_day day;
  day.stakes_may_go_back = true;
  part_and_heal(day, {.node = "node-1", .from = "node-2"}, 10s);
}
