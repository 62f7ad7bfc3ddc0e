#include "cluster/membership/join_check.hpp"
#include "cluster/membership/probe_relay.hpp"

namespace baraza::cluster {

using storage::member_status;

TEST_CASE("a newcomer is complete when all who are up have answered, whoever else joins") {
  join_check check{9};
  check.set_members({{.incarnation = 1, .status = member_status::up},
                     {.incarnation = 2, .status = member_status::draining},
                     {.incarnation = 3, .status = member_status::joining},
                     {.incarnation = 9, .status = member_status::joining}});
  const join_check::time_point start{1h};
  CHECK(check.tick(start) == std::vector<std::uint64_t>{1, 2});
  CHECK(check.tick(start).empty());
  check.answered(1);
  check.answered(7);  // nobody we know
  CHECK_FALSE(check.is_complete());
  CHECK(check.missing() == std::vector<std::uint64_t>{2});
  CHECK(check.tick(start + 200ms) == std::vector<std::uint64_t>{2});
  CHECK(check.tick(start + 400ms).empty());  // waits longer each time
  SECTION("an answer completes it") { check.answered(2); }
  SECTION("a death completes it") {
    check.set_members({{.incarnation = 1, .status = member_status::up}});
  }
  CHECK(check.is_complete());
}

TEST_CASE("greetings to one that does not answer slow down to one in 5 s") {
  join_check check{9};
  check.set_members({{.incarnation = 1, .status = member_status::up}});
  int greetings = 0;
  for (join_check::time_point now{1h}, until = now + 60s; now < until; now += 100ms)
    greetings += static_cast<int>(check.tick(now).size());
  CHECK(greetings > 10);
  CHECK(greetings < 20);
}

TEST_CASE("a helper remembers for whom it tries, within a bound") {
  probe_relay relay;
  const probe_relay::time_point now{1h};
  const auto number = relay.asked({5, 7, 42}, now);
  REQUIRE(number);
  CHECK_FALSE(relay.ended(*number + 1));
  CHECK(relay.ended(*number) == probe_relay::request{5, 7, 42});
  CHECK_FALSE(relay.ended(*number));  // told once
  for (std::size_t i = 0; i < relays_max; ++i) REQUIRE(relay.asked({5, 7, i}, now));
  CHECK_FALSE(relay.asked({5, 7, 99}, now));
  CHECK(relay.asked({5, 7, 99}, now + probe_timeout));
}

}  // namespace baraza::cluster
