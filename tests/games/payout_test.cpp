#include "actors/games/payout.hpp"

#include <numeric>

#include "tests/games/properties.hpp"

using namespace baraza::games;

namespace {
using amounts = std::vector<std::int64_t>;
using weights = std::vector<std::uint32_t>;
}  // namespace

TEST_CASE("shares follow the weights and the largest remainder takes the rest") {
  CHECK(share(100, weights{1, 0}) == amounts{100, 0});
  CHECK(share(101, weights{1, 1}) == amounts{51, 50});
  CHECK(share(100, weights{1, 1, 1}) == amounts{34, 33, 33});
  CHECK(share(10, weights{1, 2, 3}) == amounts{2, 3, 5});  // 1.67, 3.33, 5
  CHECK(share(0, weights{3, 5}) == amounts{0, 0});
  CHECK(share(std::int64_t{1} << 53, weights{0xFFFF'FFFF, 0}) == amounts{std::int64_t{1} << 53, 0});
  CHECK_THROWS_AS(share(-1, weights{1}), std::invalid_argument);
  CHECK_THROWS_AS(share(1, weights{0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(share(1, weights{}), std::invalid_argument);
}

TEST_CASE("shares always add up to the pot") {
  test::dice die{3};
  for (int i = 0; i < 5'000; ++i) {
    const auto pot = static_cast<std::int64_t>(die.roll() >> (11 + die.below(50)));
    weights parts(1 + die.below(10));
    for (auto& part : parts) part = static_cast<std::uint32_t>(die.roll() >> (32 + die.below(32)));
    parts.front() += parts.front() == 0;
    const auto shares = share(pot, parts);
    REQUIRE(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}) == pot);
    for (std::size_t k = 0; k < parts.size(); ++k) REQUIRE((parts[k] != 0 || shares[k] == 0));
  }
}

TEST_CASE("the house takes its rake from a decided match and nothing from an undecided one") {
  const auto won = settle(amounts{1000, 1000}, 500, {{0, 1}, "won"});
  CHECK(won.payouts == amounts{0, 1900});
  CHECK(won.rake == 100);
  const auto odd = settle(amounts{33, 33}, 250, {{1, 0}, "won"});
  CHECK(odd.payouts == amounts{65, 0});  // rake 1.65, rounded down
  CHECK(odd.rake == 1);
  const auto back = settle(amounts{1000, 700}, 500, {{1, 1}, "both_absent"});
  CHECK(back.payouts == amounts{1000, 700});
  CHECK(back.rake == 0);
  CHECK_THROWS_AS(settle(amounts{1, 1}, 0, {{0, 0}, "won"}), std::invalid_argument);
  CHECK_THROWS_AS(settle(amounts{1}, 0, {{1, 1}, "won"}), std::invalid_argument);
  CHECK_THROWS_AS(settle(amounts{1, -1}, 0, {{1, 0}, "won"}), std::invalid_argument);
  CHECK_THROWS_AS(settle(amounts{1, 1}, 10'001, {{1, 0}, "won"}), std::invalid_argument);
  CHECK_THROWS_AS(settle(amounts{std::int64_t{1} << 62, std::int64_t{1} << 62}, 0, {{1, 0}, "won"}),
                  std::invalid_argument);
}
