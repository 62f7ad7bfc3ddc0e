#include "cluster/membership/level_rule.hpp"

#include <algorithm>

namespace baraza::cluster {

std::uint16_t readable_by_all(const storage::cluster_state& state) {
  const auto lowest = std::ranges::min_element(state.members, {}, &storage::member::level);
  return lowest == state.members.end() ? std::uint16_t{0} : lowest->level;
}

std::optional<std::uint16_t> level_rule::tick(const storage::cluster_state& state, time_point now) {
  const auto level = readable_by_all(state);
  if (level <= state.level || now < next_) return std::nullopt;
  next_ = now + raise_retry;
  return level;
}

}  // namespace baraza::cluster
