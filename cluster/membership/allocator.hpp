// Which node should own which shard: a pure function of members, weights, zones and the map as it
// is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/membership.hpp"

namespace baraza::cluster {

/// A node as the allocator sees it. Whoever is not in the list is dead: its shards are free.
struct allocator_node {
  std::uint64_t id = 0;      // incarnation
  std::uint32_t weight = 1;  // 0: takes no shard
  std::string zone;
  bool draining = false;  // keeps what it has until it is moved away; takes nothing
};
/// The living members that own, or may own, shards.
std::vector<allocator_node> allocator_nodes(std::span<const storage::member> members);

/// Owners by shard; 0 is nobody.
using shard_owners = std::vector<std::uint64_t>;

/// The balanced map: each node that may own shards holds its share by weight, rounded down or up;
/// shards of the dead and of draining nodes go to whom holds too little. Of all such maps it is one
/// that moves the fewest shards; where that leaves a choice, the rounded-up shares are spread over
/// the zones. With equal weights, a node that joins N others takes at most ⌈S/(N+1)⌉ and no other
/// shard moves. The same arguments give the same map, in whatever order the nodes are listed; a
/// balanced map comes back unchanged. Without a node that may own shards, the living keep what they
/// hold and the rest is nobody's.
/// @param kept ascending; of a node that holds too many, these go last
shard_owners allocate(std::span<const allocator_node> nodes, const shard_owners& current,
                      std::span<const shard_id> kept = {});

/// Gives what is nobody's to those that hold too little, and moves nothing else: for the
/// transaction that declares an owner dead. Balance is the coordinator's business, later.
shard_owners adopt(std::span<const allocator_node> nodes, const shard_owners& current);

}  // namespace baraza::cluster
