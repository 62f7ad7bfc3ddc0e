#include "cluster/membership/rebalancer.hpp"

#include <algorithm>
#include <set>

namespace baraza::cluster {
namespace {

using storage::cluster_state;
using storage::member;
using storage::member_status;

const member* find(const cluster_state& state, std::uint64_t who) {
  const auto found = std::ranges::find(state.members, who, &member::incarnation);
  return found == state.members.end() ? nullptr : &*found;
}

bool may_take(const cluster_state& state, std::uint64_t who) {
  const auto* m = find(state, who);
  return m != nullptr && m->status == member_status::up && m->weight > 0;
}

shard_id count_of(const cluster_state& state) {
  return state.shards.empty() ? 0 : state.shards.back().id + 1;
}

}  // namespace

shard_owners meant_owners(const cluster_state& state) {
  shard_owners owners(count_of(state));
  for (const auto& row : state.shards) {
    if (row.owner != 0)
      owners[row.id] = row.owner;
    else if (may_take(state, row.next_owner))
      owners[row.id] = row.next_owner;
  }
  return owners;
}

void rebalancer::forget_ended(const cluster_state& state) {
  std::erase_if(asked_, [&](const auto& entry) {
    const auto& [shard, what] = entry;
    if (shard >= state.shards.size()) return true;
    const auto& row = state.shards[shard];
    return row.owner == 0 || row.epoch != what.epoch;  // released: it goes on by itself
  });
  std::erase_if(ordered_, [&](const auto& entry) {
    const auto& [shard, to] = entry;
    if (shard >= state.shards.size() || !may_take(state, to)) return true;
    if (state.shards[shard].owner != to) return false;
    obeyed_[shard] = to;
    return true;
  });
  std::erase_if(obeyed_, [&](const auto& entry) {
    return entry.first >= state.shards.size() || state.shards[entry.first].owner != entry.second;
  });
}

std::vector<ask_hand_off> rebalancer::tick(const cluster_state& state,
                                           std::uint64_t coordinator_epoch, time_point now) {
  std::vector<ask_hand_off> out;
  if (state.shards.empty()) return out;
  forget_ended(state);
  auto meant = meant_owners(state);
  // What was asked counts as done, so that the plan does not change under the moves it makes.
  for (const auto& [shard, what] : asked_)
    if (may_take(state, what.to)) meant[shard] = what.to;
  for (const auto& [shard, to] : ordered_) meant[shard] = to;
  // Else what an operator has moved would come back at once, being as good as any other.
  std::vector<shard_id> kept;
  for (const auto* each : {&ordered_, &obeyed_})
    for (const auto& [shard, to] : *each) kept.push_back(shard);
  std::ranges::sort(kept);
  const auto target = allocate(allocator_nodes(state.members), meant, kept);
  std::size_t moving = asked_.size();
  for (const auto& row : state.shards) moving += row.owner == 0 ? 1 : 0;

  const auto consider = [&](const storage::shard_row& row, bool urgent) {
    const auto* owner = find(state, row.owner);
    if (owner == nullptr || (owner->status == member_status::draining) != urgent) return;
    const auto ordered = ordered_.find(row.id);
    const auto to = ordered != ordered_.end() ? ordered->second : target[row.id];
    const auto known = asked_.find(row.id);
    if (to == row.owner || to == 0) {
      asked_.erase(
          row.id);  // no longer wanted; should its owner have heard it, it goes all the same
      return;
    }
    if (known == asked_.end() && moving >= in_flight_max_) return;
    if (known != asked_.end() && known->second.to == to && now < known->second.next) return;
    moving += known == asked_.end() ? 1 : 0;
    asked_[row.id] = {row.epoch, to, now + handoff_retry};
    out.push_back({row.id, row.epoch, row.owner, to, coordinator_epoch});
  };
  for (const bool urgent : {true, false})  // a draining node waits for nothing else
    for (const auto& row : state.shards)
      if (row.owner != 0) consider(row, urgent);
  return out;
}

rebalancer::time_point rebalancer::next_look(time_point now) const {
  auto next = now + handoff_retry;
  for (const auto& [shard, what] : asked_) next = std::min(next, what.next);
  return next;
}

std::vector<heir> heirs_of(const cluster_state& state) {
  const auto can_take = [](const allocator_node& n) { return n.weight > 0 && !n.draining; };
  std::vector<heir> heirs;
  auto owners = meant_owners(state);
  for (const auto& row : state.shards)
    if (row.owner == 0 && (owners[row.id] == 0 || state.now - row.since > phase_overdue.count())) {
      heirs.push_back({row.id, row.epoch, 0});
      owners[row.id] = 0;
    }
  if (heirs.empty()) return heirs;
  // Whoever was named and did not take it may be slow with all of them: it is not asked again.
  auto nodes = allocator_nodes(state.members);
  if (std::ranges::none_of(nodes, can_take))
    for (auto& n : nodes) n.draining = false;  // better one that drains than nobody
  std::set<std::uint64_t> late;
  for (const auto& h : heirs) late.insert(state.shards[h.shard].next_owner);
  auto others = nodes;
  std::erase_if(others, [&](const auto& n) { return late.contains(n.id); });
  const auto given = adopt(std::ranges::any_of(others, can_take) ? others : nodes, owners);
  for (auto& h : heirs) h.who = given[h.shard];
  std::erase_if(heirs, [](const heir& h) { return h.who == 0; });
  return heirs;
}

std::vector<reassignment> reassign(const cluster_state& state,
                                   std::span<const std::uint64_t> dead) {
  const auto is_dead = [&](std::uint64_t who) {
    return std::ranges::find(dead, who) != dead.end();
  };
  auto living = allocator_nodes(state.members);
  std::erase_if(living, [&](const auto& n) { return is_dead(n.id); });
  auto owners = meant_owners(state);
  std::vector<reassignment> changes;
  for (const auto& row : state.shards)
    if (is_dead(row.owner) || (row.owner == 0 && is_dead(row.next_owner))) {
      owners[row.id] = 0;
      changes.push_back({row.id, row.epoch, 0});
    }
  const auto given = adopt(living, owners);
  for (auto& change : changes) change.to = given[change.shard];
  return changes;
}

}  // namespace baraza::cluster
