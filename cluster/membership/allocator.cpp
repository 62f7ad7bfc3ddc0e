#include "cluster/membership/allocator.hpp"

#include <algorithm>
#include <unordered_map>

namespace baraza::cluster {
namespace {

struct seat {
  std::uint64_t id = 0, weight = 0;
  std::size_t zone = 0;
  bool takes = false;
  std::size_t holds = 0;        // shards now
  std::size_t quota = 0;        // shards it should hold; 0 if it takes none
  std::uint64_t remainder = 0;  // of its exact share, in 1/total weight
};

class plan {
 public:
  plan(std::span<const allocator_node> nodes, const shard_owners& current) : owners_{current} {
    std::vector<std::string> zones;
    for (const auto& n : nodes) {
      seats_.push_back({.id = n.id, .weight = n.weight, .takes = n.weight > 0 && !n.draining});
      zones.push_back(n.zone);
    }
    std::ranges::sort(zones);
    zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
    for (std::size_t i = 0; i < nodes.size(); ++i)
      seats_[i].zone =
          static_cast<std::size_t>(std::ranges::lower_bound(zones, nodes[i].zone) - zones.begin());
    zones_ = zones.size();
    std::ranges::sort(seats_, {}, &seat::id);  // whatever order they were listed in
    for (std::size_t i = 0; i < seats_.size(); ++i) place_.emplace(seats_[i].id, i);
    for (auto& owner : owners_) {
      const auto found = place_.find(owner);
      if (found == place_.end())
        owner = 0;
      else
        ++seats_[found->second].holds;
    }
    share_out();
  }

  /// Moves what nobody alive owns.
  shard_owners adopt() {
    if (std::ranges::any_of(seats_, &seat::takes)) hand_out();
    return std::move(owners_);
  }
  shard_owners balance(std::span<const shard_id> kept) {
    if (std::ranges::none_of(seats_, &seat::takes)) return std::move(owners_);
    release_excess([&](auto shard) { return !std::ranges::binary_search(kept, shard); });
    if (!kept.empty()) release_excess([](auto) { return true; });
    hand_out();
    return std::move(owners_);
  }

 private:
  /// Shares rounded down, then one more each for as many as it takes.
  void share_out() {
    std::uint64_t total = 0;
    for (const auto& s : seats_) total += s.takes ? s.weight : 0;
    if (total == 0) return;
    std::size_t left = owners_.size();
    std::vector<std::size_t> takers;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      auto& s = seats_[i];
      if (!s.takes) continue;
      const auto exact = owners_.size() * s.weight;  // below 2^20 shards × 2^32: fits
      s.quota = exact / total;
      s.remainder = exact % total;
      left -= s.quota;
      if (s.remainder > 0) takers.push_back(i);  // a whole share is not rounded up
    }
    // Who already holds the extra shard keeps it; then who must take some anyway.
    const auto rank = [&](std::size_t i) {
      const auto& s = seats_[i];
      return s.holds > s.quota ? 0 : s.holds < s.quota ? 1 : 2;
    };
    std::vector<std::size_t> extra_in_zone(zones_);
    std::ranges::sort(takers, [&](std::size_t x, std::size_t y) {
      if (rank(x) != rank(y)) return rank(x) < rank(y);
      if (seats_[x].remainder != seats_[y].remainder)
        return seats_[x].remainder > seats_[y].remainder;
      return seats_[x].id < seats_[y].id;
    });
    for (auto first = takers.begin(); left > 0 && first != takers.end();) {
      const auto last = std::find_if(first, takers.end(), [&](auto i) {
        return rank(i) != rank(*first) || seats_[i].remainder != seats_[*first].remainder;
      });
      left -= spread_extra({first, last}, left, extra_in_zone);
      first = last;
    }
  }

  /// Of equals, the next extra shard goes to the zone that has the fewest. @returns how many went
  std::size_t spread_extra(std::vector<std::size_t> equals, std::size_t left,
                           std::vector<std::size_t>& extra_in_zone) {
    std::vector<std::vector<std::size_t>> by_zone(zones_);
    for (auto i = equals.rbegin(); i != equals.rend(); ++i) by_zone[seats_[*i].zone].push_back(*i);
    const auto count = std::min(left, equals.size());
    for (std::size_t given = 0; given < count; ++given) {
      std::size_t best = zones_;
      for (std::size_t z = 0; z < zones_; ++z)
        if (!by_zone[z].empty() && (best == zones_ || extra_in_zone[z] < extra_in_zone[best]))
          best = z;
      ++seats_[by_zone[best].back()].quota;
      by_zone[best].pop_back();
      ++extra_in_zone[best];
    }
    return count;
  }

  template <class May>
  void release_excess(May may_go) {
    for (auto shard = static_cast<shard_id>(owners_.size()); shard-- > 0;) {
      auto& owner = owners_[shard];
      if (owner == 0 || !may_go(shard)) continue;
      auto& s = seats_[place_.at(owner)];
      if (s.holds <= s.quota) continue;
      --s.holds;
      owner = 0;
    }
  }

  /// Round after round, so that neighbouring shards of a dead node do not all go to one other.
  void hand_out() {
    std::vector<seat*> takers;
    for (auto& s : seats_)
      if (s.takes && s.holds < s.quota) takers.push_back(&s);
    std::size_t turn = 0;
    for (auto& owner : owners_) {
      if (owner != 0) continue;
      if (takers.empty()) return;
      if (turn >= takers.size()) turn = 0;
      auto& s = *takers[turn];
      owner = s.id;
      if (++s.holds == s.quota)
        takers.erase(takers.begin() + static_cast<std::ptrdiff_t>(turn));
      else
        ++turn;
    }
  }

  shard_owners owners_;
  std::vector<seat> seats_;
  std::unordered_map<std::uint64_t, std::size_t> place_;  // looked up only, never walked
  std::size_t zones_ = 0;
};

}  // namespace

std::vector<allocator_node> allocator_nodes(std::span<const storage::member> members) {
  std::vector<allocator_node> nodes;
  for (const auto& m : members) {
    if (m.status != storage::member_status::up && m.status != storage::member_status::draining)
      continue;  // a newcomer owns nothing yet
    nodes.push_back(
        {m.incarnation, m.weight, m.zone, m.status == storage::member_status::draining});
  }
  return nodes;
}

shard_owners allocate(std::span<const allocator_node> nodes, const shard_owners& current,
                      std::span<const shard_id> kept) {
  return plan{nodes, current}.balance(kept);
}

shard_owners adopt(std::span<const allocator_node> nodes, const shard_owners& current) {
  return plan{nodes, current}.adopt();
}

}  // namespace baraza::cluster
