#include "cluster/watchdog.hpp"

#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <future>
#include <thread>

#include "cluster/cluster_clock.hpp"

using namespace baraza;
using namespace std::chrono_literals;

namespace {
constexpr auto patience = 10s;
const entity_id stuck{entity_kind::table, uuid::v7(1'700'000'000'000)};
}  // namespace

TEST_CASE("the watchdog names who holds a thread too long", "[watchdog]") {
  std::promise<std::pair<entity_id, std::chrono::milliseconds>> barked;
  auto heard = barked.get_future();
  cluster::watchdog dog{[&](const cluster::watchdog::alarm& what) {
    barked.set_value({what.who, what.held});
  }};
  const auto long_ago = cluster::cluster_clock::steady() - cluster::thread_hold_max.count() - 1;
  const cluster::watchdog::scope outer{dog, stuck, long_ago};
  // What an entity calls on the way counts as its own time.
  const cluster::watchdog::scope inner{
      dog, {entity_kind::wallet, uuid::v4()}, cluster::cluster_clock::steady()};
  REQUIRE(heard.wait_for(patience) == std::future_status::ready);
  const auto [who, held] = heard.get();
  CHECK(who == stuck);
  CHECK(held > cluster::thread_hold_max);
}

TEST_CASE("a thread that lets go while the watchdog reads is never named for another's time",
          "[watchdog]") {
  const std::array<entity_id, 2> two{stuck, {entity_kind::wallet, uuid::v4()}};
  std::promise<entity_id> barked;
  auto heard = barked.get_future();
  std::atomic<bool> enough{false};
  const auto long_ago = cluster::cluster_clock::steady() - cluster::thread_hold_max.count() - 1;
  cluster::watchdog dog{[&](const cluster::watchdog::alarm& what) { barked.set_value(what.who); }};
  std::thread busy{[&] {
    // Each turn has a time of its own, as turns longer than the limit have, and lasts longer than
    // a look.
    for (millis n = 0; !enough; ++n) {
      const cluster::watchdog::scope held{dog, two[n % 2], long_ago - n};
      const auto end = std::chrono::steady_clock::now() + 20us;
      while (std::chrono::steady_clock::now() < end) {
      }
    }
  }};
  const auto state = heard.wait_for(patience);
  enough = true;
  busy.join();
  REQUIRE(state == std::future_status::ready);
  const auto who = heard.get();
  CHECK((who == two[0] || who == two[1]));
}
