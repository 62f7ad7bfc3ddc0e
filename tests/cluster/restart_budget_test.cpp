#include "cluster/restart_budget.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace baraza::cluster;
using std::chrono::milliseconds;

TEST_CASE("what has an end is forgiven by progress alone, however rare its crashes") {
  restart_budget budget{restart_budget::forgiven::by_progress};
  restart_budget::time_point now{};
  std::size_t restarts = 0;
  while (restarts < 1'000 && budget.crashed(now += 24h)) ++restarts;
  CHECK(restarts == restarts_at_once_max + restarts_with_backoff_max);
  budget.progressed();
  CHECK(budget.crashed(now += 1s) == milliseconds{0});
}

TEST_CASE("five crashes in 30 s restart at once, then with doubling delays, then quarantine") {
  restart_budget budget{restart_budget::forgiven::by_time_too};
  restart_budget::time_point now{};
  for (int i = 0; i < 5; ++i) CHECK(budget.crashed(now += 1s) == milliseconds{0});
  auto expected = restart_backoff_first;
  for (std::size_t i = 0; i < restarts_with_backoff_max; ++i, expected *= 2) {
    const auto delay = budget.crashed(now += 1s);
    REQUIRE(delay);
    CHECK(*delay == expected);
    now += *delay;
  }
  CHECK_FALSE(budget.crashed(now += 1s));
}

TEST_CASE("crashes further apart than the window are forgiven") {
  restart_budget budget{restart_budget::forgiven::by_time_too};
  restart_budget::time_point now{};
  for (int i = 0; i < 100; ++i) CHECK(budget.crashed(now += 31s) == milliseconds{0});
}

TEST_CASE("an entity that crashes every ten seconds is not restarted for ever") {
  restart_budget budget{restart_budget::forgiven::by_time_too};
  restart_budget::time_point now{};
  std::size_t restarts = 0;
  while (restarts < 1'000 && budget.crashed(now += 10s + 500ms)) ++restarts;
  CHECK(restarts == restarts_long_max - 1);
}

TEST_CASE(
    "a quiet window after a back-off forgives it, but the back-off itself does not count as "
    "quiet") {
  restart_budget budget{restart_budget::forgiven::by_time_too};
  restart_budget::time_point now{};
  for (int i = 0; i < 5; ++i) budget.crashed(now += 1s);
  REQUIRE(budget.crashed(now += 1s) == restart_backoff_first);
  CHECK(budget.crashed(now += restart_window + 500ms) == 2 * restart_backoff_first);
  CHECK(budget.crashed(now += restart_window + 10s) == milliseconds{0});
}
