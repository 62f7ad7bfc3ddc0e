#include "cluster/upkeep.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>

using namespace baraza;
using namespace std::chrono_literals;

namespace {
template <class Holds>
bool eventually(Holds holds) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(1ms);  // polls: with a deadline
  }
  return true;
}
}  // namespace

TEST_CASE("upkeep is done again and again, sooner after a failure, and every failure is told",
          "[upkeep]") {
  std::atomic<int> calls{0}, failures{0};
  {
    const cluster::upkeep some{
        [&]() -> storage::status {
          if (++calls <= 3) return storage::error{storage::errc::unavailable, "away"};
          return storage::done{};
        },
        [&](const storage::error& why) { failures += why.message == "away"; },
        {std::chrono::hours{1}, 1ms}};
    REQUIRE(eventually([&] { return calls == 4; }));
  }  // and ends although the next one is an hour away
  CHECK(failures == 3);
  {
    const cluster::upkeep often{[&]() -> storage::status {
                                  ++calls;
                                  return storage::done{};
                                },
                                [](const storage::error&) {},
                                {1ms, std::chrono::hours{1}}};
    CHECK(eventually([&] { return calls >= 8; }));
  }
}
