#include "cluster/membership/ring.hpp"

#include <algorithm>

namespace baraza::cluster {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection, so no two members tie.
std::uint64_t scatter(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

}  // namespace

ring::ring(std::span<const std::uint64_t> members) : order_{members.begin(), members.end()} {
  std::ranges::sort(order_, {}, scatter);
  order_.erase(std::unique(order_.begin(), order_.end()), order_.end());
}

std::optional<std::size_t> ring::place(std::uint64_t who) const {
  const auto found = std::ranges::lower_bound(order_, scatter(who), {}, scatter);
  if (found == order_.end() || *found != who) return std::nullopt;
  return static_cast<std::size_t>(found - order_.begin());
}

std::vector<std::uint64_t> ring::after(std::uint64_t who, std::size_t count) const {
  std::vector<std::uint64_t> next;
  const auto at = place(who);
  if (!at) return next;
  for (std::size_t i = 1; i < order_.size() && next.size() < count; ++i)
    next.push_back(order_[(*at + i) % order_.size()]);
  return next;
}

std::optional<std::size_t> ring::rank(std::uint64_t watcher, std::uint64_t target) const {
  const auto from = place(watcher), to = place(target);
  if (!from || !to || *from == *to) return std::nullopt;
  return (*to + order_.size() - *from) % order_.size() - 1;
}

}  // namespace baraza::cluster
