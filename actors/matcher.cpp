#include "actors/matcher.hpp"

#include <algorithm>
#include <cstdlib>

namespace baraza::actors {
namespace {

constexpr int neighbours_max =
    32;  // passed over because their connections are lost; the next round looks again

std::int32_t apart(const matcher::ticket& a, const matcher::ticket& b) {
  return std::abs(a.rating - b.rating);
}

}  // namespace

std::int32_t matcher::window(const ticket& t, millis now) const {
  const auto waited = std::max<millis>(0, now - t.since);
  const auto wide = options_.window_start + waited * options_.window_per_second / 1000;
  return static_cast<std::int32_t>(std::min<std::int64_t>(wide, options_.window_max));
}

bool matcher::enter(const ticket& what, std::size_t queue_max) {
  auto entered = what;
  if (const auto* old = of(what.player)) {
    entered.since = std::min(old->since, what.since);
    leave(what.player);
  } else if (tickets_.size() >= queue_max) {
    return false;
  }
  by_rating_.emplace(entered.rating, entered.player);
  by_age_.emplace(entered.since, entered.player);
  tickets_.emplace(entered.player, entered);
  return true;
}

bool matcher::leave(const uuid& player) {
  const auto found = tickets_.find(player);
  if (found == tickets_.end()) return false;
  by_rating_.erase({found->second.rating, player});
  by_age_.erase({found->second.since, player});
  tickets_.erase(found);
  return true;
}

bool matcher::set_present(const uuid& player, bool present) {
  const auto found = tickets_.find(player);
  if (found == tickets_.end()) return false;
  found->second.present = present;
  return true;
}

const matcher::ticket* matcher::of(const uuid& player) const {
  const auto found = tickets_.find(player);
  return found == tickets_.end() ? nullptr : &found->second;
}

template <class Iterator>
const matcher::ticket* matcher::nearest(Iterator at, Iterator end, const ticket& to) const {
  const ticket* best = nullptr;
  for (int seen = 0; at != end && seen < neighbours_max; ++at, ++seen) {
    const auto* other = of(at->second);
    if (!other->present || other->player == to.player) continue;
    if (best == nullptr) {
      best = other;
    } else if (other->rating != best->rating) {
      break;
    } else if (other->since < best->since) {
      best = other;
    }
  }
  return best;
}

std::optional<uuid> matcher::opponent_of(const uuid& player, millis now) const {
  const auto* own = of(player);
  if (own == nullptr || !own->present) return std::nullopt;
  const auto here = by_rating_.lower_bound({own->rating, uuid{}});
  const ticket* above = nearest(here, by_rating_.end(), *own);
  const ticket* below = nearest(std::make_reverse_iterator(here), by_rating_.rend(), *own);
  const ticket* best = above;
  if (below != nullptr &&
      (best == nullptr || apart(*below, *own) < apart(*best, *own) ||
       (apart(*below, *own) == apart(*best, *own) && below->since < best->since)))
    best = below;
  if (best == nullptr || apart(*best, *own) > std::max(window(*own, now), window(*best, now)))
    return std::nullopt;
  return best->player;
}

std::vector<std::pair<uuid, uuid>> matcher::pair(millis now, std::size_t limit) {
  std::vector<std::pair<uuid, uuid>> pairs;
  std::vector<uuid> oldest;
  oldest.reserve(by_age_.size());
  for (const auto& [since, player] : by_age_) oldest.push_back(player);
  for (const auto& player : oldest) {
    if (pairs.size() >= limit) break;
    const auto opponent = opponent_of(player, now);  // nothing either if it has been paired above
    if (!opponent) continue;
    leave(player);
    leave(*opponent);
    pairs.emplace_back(player, *opponent);
  }
  return pairs;
}

}  // namespace baraza::actors
