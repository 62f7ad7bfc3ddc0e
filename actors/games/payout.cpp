#include "actors/games/payout.hpp"

#include <algorithm>
#include <numeric>

namespace baraza::games {
namespace {

constexpr std::int64_t pot_max = std::int64_t{1} << 53;  // exact in every JSON reader

// pot · weight is below 2^53 · 2^32: more than 64 bits hold.
__extension__ using wide = unsigned __int128;

}  // namespace

std::vector<std::int64_t> share(std::int64_t pot, std::span<const std::uint32_t> weights) {
  const auto total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  if (pot < 0 || pot > pot_max) throw std::invalid_argument{"share: pot out of range"};
  if (total == 0) throw std::invalid_argument{"share: no weight"};
  std::vector<std::int64_t> shares;
  std::vector<std::uint64_t> remainders;
  std::int64_t left = pot;
  for (const auto weight : weights) {
    const wide part = static_cast<wide>(pot) * weight;
    shares.push_back(static_cast<std::int64_t>(part / total));
    remainders.push_back(static_cast<std::uint64_t>(part % total));
    left -= shares.back();
  }
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; left > 0; ++i, --left) ++shares[order[i]];  // left < seats
  return shares;
}

settlement settle(std::span<const std::int64_t> stakes, std::uint32_t rake_bp, const outcome& end) {
  if (stakes.size() != end.weights.size() || stakes.empty())
    throw std::invalid_argument{"settle: one weight per stake"};
  if (rake_bp > 10'000) throw std::invalid_argument{"settle: rake above the whole pot"};
  std::int64_t pot = 0;
  for (const auto stake : stakes) {
    if (stake < 0 || stake > pot_max - pot)
      throw std::invalid_argument{"settle: stake out of range"};
    pot += stake;
  }
  const bool all_equal = std::all_of(end.weights.begin(), end.weights.end(),
                                     [&](auto weight) { return weight == end.weights.front(); });
  if (end.weights.front() == 0 && all_equal) throw std::invalid_argument{"settle: no weight"};
  if (all_equal) return {{stakes.begin(), stakes.end()}, 0};
  const auto rake = static_cast<std::int64_t>(static_cast<wide>(pot) * rake_bp / 10'000);
  return {share(pot - rake, end.weights), rake};
}

}  // namespace baraza::games
