#include "cluster/reachability.hpp"

#include <catch2/catch_test_macros.hpp>

using baraza::cluster::reachability;

namespace {

constexpr baraza::millis start = 5'000'000;

}  // namespace

TEST_CASE("no clock runs before the first tick, nor when the tick is overdue") {
  reachability reach;
  CHECK(reach.clocks_stand(start));
  reach.tick(start, start);
  CHECK_FALSE(reach.clocks_stand(start + 1'000));
  CHECK(reach.clocks_stand(start + 1'001));  // the process stood still: the tick comes later
  CHECK(reach.since() == 0);
}

TEST_CASE("a store that stumbles stops the clocks until the batch has ended") {
  reachability reach;
  reach.tick(start, start);
  reach.began(3, start);
  reach.tick(start + 20, start + 20);
  CHECK_FALSE(reach.clocks_stand(start + 20));
  reach.stumbled(3);
  reach.tick(start + 40, start + 40);
  CHECK(reach.clocks_stand(start + 40));
  reach.ended(3);
  reach.tick(start + 900, start + 900);
  CHECK_FALSE(reach.clocks_stand(start + 900));
  CHECK(reach.since() == start + 900);
}

TEST_CASE("a store that does not answer stops the clocks after a second, whichever writer waits") {
  reachability reach;
  reach.tick(start, start);
  reach.began(0, start);
  reach.began(1, start + 500);
  reach.ended(0);
  for (baraza::millis at = 20; at <= 1'500; at += 20) reach.tick(start + at, start + at);
  CHECK_FALSE(reach.clocks_stand(start + 1'500));
  reach.tick(start + 1'520, start + 1'520);
  CHECK(reach.clocks_stand(start + 1'520));
}

TEST_CASE("a process that stood still, or a clock that leapt, is a pause") {
  reachability reach;
  reach.tick(start, start);
  reach.tick(start + 1'000, start + 1'000);
  CHECK(reach.since() == 0);
  reach.tick(start + 1'020, start + 20'000);  // cluster time was set forward
  CHECK(reach.since() == start + 20'000);
  CHECK_FALSE(reach.clocks_stand(start + 20'000));
}
