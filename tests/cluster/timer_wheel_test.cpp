#include "cluster/timer_wheel.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace baraza;
using baraza::cluster::timer_wheel;

namespace {
entity_id who(std::uint8_t n) {
  entity_id id{entity_kind::table, {}};
  id.key.bytes[0] = n;
  return id;
}
}  // namespace

TEST_CASE("nobody is called early, everybody within one tick after the time") {
  timer_wheel wheel{20};
  std::vector<entity_id> due;
  wheel.arm(who(1), 1000);
  wheel.arm(who(2), 1019);
  wheel.arm(who(3), 5000);
  wheel.advance(1000, due);
  CHECK(due.empty());  // the slot of 1000 … 1019 is over only at 1020: early calls would spin
  wheel.advance(1020, due);
  CHECK(due.size() == 2);
  due.clear();
  wheel.advance(4999, due);
  CHECK(due.empty());
  wheel.advance(100'000, due);
  REQUIRE(due.size() == 1);
  CHECK(due[0] == who(3));
  CHECK(wheel.size() == 0);
}

TEST_CASE("a time that has passed is due with the next tick") {
  timer_wheel wheel{20};
  std::vector<entity_id> due;
  wheel.advance(10'000, due);
  wheel.arm(who(1), 5);
  wheel.advance(10'020, due);
  CHECK(due.size() == 1);
}
