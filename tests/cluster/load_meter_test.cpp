#include "cluster/load_meter.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace baraza::cluster;
using namespace std::chrono_literals;

TEST_CASE("rates are of the last ten seconds, not since the start") {
  load_meter meter;
  load_meter::time_point now{1h};
  load_totals totals;
  CHECK(meter.rates().commits_per_s == 0);
  for (int second = 0; second < 60; ++second, now += 1s) {
    REQUIRE(meter.is_due(now));
    const bool is_busy = second < 40;
    totals.commits += is_busy ? 1000 : 7;
    totals.sent += 3;
    totals.commit_us_log2[is_busy ? 9 : 2] += 10;
    meter.sample(now, totals);
    CHECK_FALSE(meter.is_due(now + 500ms));
  }
  const auto rates = meter.rates();
  CHECK(rates.commits_per_s == 7);
  CHECK(rates.sent_per_s == 3);
  CHECK(rates.received_per_s == 0);
  CHECK(rates.commit_us_p50 == 1u << 10);
  CHECK(rates.commit_us_p99 == 1u << 10);
}

TEST_CASE("one slow batch in a hundred does not show in p99, two do") {
  for (const std::uint64_t slow : {1u, 2u}) {
    load_meter meter;
    const load_meter::time_point now{1h};
    load_totals totals;
    meter.sample(now, totals);
    totals.commit_us_log2[3] = 100 - slow;
    totals.commit_us_log2[12] = slow;
    meter.sample(now + 1s, totals);
    CHECK(meter.rates().commit_us_p50 == 1u << 11);
    CHECK(meter.rates().commit_us_p99 == (slow == 1 ? 1u << 11 : 1u << 20));
  }
}
