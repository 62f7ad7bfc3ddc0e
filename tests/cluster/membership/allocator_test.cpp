#include "cluster/membership/allocator.hpp"

#include <algorithm>
#include <catch2/benchmark/catch_benchmark.hpp>
#include <map>

#include "tests/cluster/membership/seed.hpp"

namespace baraza::cluster {
namespace {

std::vector<allocator_node> nodes_of(std::uint64_t count, std::uint64_t zones = 1) {
  std::vector<allocator_node> nodes;
  for (std::uint64_t i = 1; i <= count; ++i)
    nodes.push_back({.id = i, .zone = "zone-" + std::to_string(i % zones)});
  return nodes;
}
std::map<std::uint64_t, std::size_t> counts(const shard_owners& owners) {
  std::map<std::uint64_t, std::size_t> held;
  for (const auto owner : owners) ++held[owner];
  return held;
}
std::size_t moves(const shard_owners& from, const shard_owners& to) {
  std::size_t moved = 0;
  for (std::size_t i = 0; i < from.size(); ++i) moved += from[i] != to[i] ? 1 : 0;
  return moved;
}
/// Each node that takes shards holds its share by weight, rounded down or up; nobody else any.
void require_balanced(const std::vector<allocator_node>& nodes, const shard_owners& owners) {
  auto held = counts(owners);
  double total = 0;
  for (const auto& n : nodes) total += n.draining ? 0 : n.weight;
  for (const auto& n : nodes) {
    const auto share = n.draining ? 0 : static_cast<double>(owners.size()) * n.weight / total;
    CAPTURE(n.id, share, held[n.id]);
    REQUIRE(std::abs(static_cast<double>(held[n.id]) - share) < 1.0);
    held.erase(n.id);
  }
  for (const auto& [owner, count] : held) REQUIRE(count == 0);
}

}  // namespace

TEST_CASE("shares follow the weights, rounded down or up") {
  std::vector<allocator_node> nodes = nodes_of(4);
  nodes[1].weight = 3;
  nodes[2].weight = 0;
  const auto owners = allocate(nodes, shard_owners(1024));
  require_balanced(nodes, owners);
  auto held = counts(owners);
  CHECK(held[2] >= 614);
  CHECK(held[3] == 0);
}

TEST_CASE("a node that joins N others takes its share and no other shard moves") {
  for (const std::size_t shards : {1, 7, 64, 1024, 4096})
    for (std::uint64_t count = 1; count <= 120; ++count) {
      CAPTURE(shards, count);
      const auto before = allocate(nodes_of(count, 3), shard_owners(shards));
      const auto after = allocate(nodes_of(count + 1, 3), before);
      std::size_t taken = 0;
      for (std::size_t i = 0; i < shards; ++i)
        if (before[i] != after[i]) {
          REQUIRE(after[i] == count + 1);
          ++taken;
        }
      REQUIRE(taken <= (shards + count) / (count + 1) + 1);
      require_balanced(nodes_of(count + 1), after);
    }
}

TEST_CASE("a dead node's shards are spread over the others, and nothing else moves") {
  auto nodes = nodes_of(11);
  const auto before = allocate(nodes, shard_owners(1024));
  nodes.erase(nodes.begin() + 4);
  for (const auto& after : {adopt(nodes, before), allocate(nodes, before)}) {
    std::map<std::uint64_t, std::size_t> heirs;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == 5)
        ++heirs[after[i]];
      else
        REQUIRE(after[i] == before[i]);
    }
    CHECK(heirs.size() == 10);
    require_balanced(nodes, after);
  }
}

TEST_CASE("adopting gives the needy what is free and takes nothing from those that hold too much") {
  shard_owners before(100, 1);
  for (std::size_t i = 90; i < 100; ++i) before[i] = 9;  // dead
  const auto after = adopt(nodes_of(3), before);
  for (std::size_t i = 0; i < 90; ++i) REQUIRE(after[i] == 1);
  auto held = counts(after);
  CHECK(held[2] == 5);
  CHECK(held[3] == 5);
}

TEST_CASE("a draining node is emptied, and keeps its shards while nobody can take them") {
  auto nodes = nodes_of(3);
  const auto before = allocate(nodes, shard_owners(64));
  nodes[0].draining = true;
  const auto after = allocate(nodes, before);
  CHECK(counts(after)[1] == 0);
  require_balanced(nodes, after);
  CHECK(adopt(nodes, before) == before);
  for (auto& n : nodes) n.draining = true;
  CHECK(allocate(nodes, before) == before);
  nodes.erase(nodes.begin());
  const auto orphaned = allocate(nodes, before);
  CHECK(counts(orphaned)[0] == counts(before)[1]);
}

TEST_CASE("the rounded-up shares are spread over the zones") {
  const auto nodes = nodes_of(12, 3);  // 100 shards: 8 each and 4 more
  const auto owners = allocate(nodes, shard_owners(100));
  std::map<std::string, std::size_t> zones;
  for (const auto owner : owners) ++zones[nodes[owner - 1].zone];
  for (const auto& [zone, count] : zones) {
    CHECK(count >= 33);
    CHECK(count <= 34);
  }
}

TEST_CASE("any history of joins, deaths, drains and weights ends balanced with the fewest moves") {
  const auto seed = tests::schedule_seed();
  CAPTURE(seed);
  tests::random_source random{seed};
  for (int history = 0; history < 60; ++history) {
    CAPTURE(history);
    std::vector<allocator_node> nodes;
    shard_owners owners(static_cast<std::size_t>(tests::pick(random, 1, 700)));
    std::uint64_t next = 1;
    for (int step = 0; step < 40; ++step) {
      CAPTURE(step);
      const auto what = tests::pick(random, 0, 9);
      if (nodes.empty() || what < 4)
        nodes.push_back({next++, static_cast<std::uint32_t>(tests::pick(random, 1, 4)),
                         "z" + std::to_string(tests::pick(random, 0, 2)), false});
      else if (what < 6)
        nodes.erase(nodes.begin() + tests::pick(random, 0, std::ssize(nodes) - 1));
      else
        nodes[static_cast<std::size_t>(tests::pick(random, 0, std::ssize(nodes) - 1))].draining =
            what < 8;
      const auto before = owners;
      owners = allocate(nodes, before);
      REQUIRE(allocate(nodes, owners) == owners);
      std::ranges::shuffle(nodes, random);
      REQUIRE(allocate(nodes, before) == owners);
      if (std::ranges::all_of(nodes, &allocator_node::draining)) continue;
      require_balanced(nodes, owners);
      // Fewest: nobody both gave and took.
      for (const auto& n : nodes) {
        std::size_t gave = 0, took = 0;
        for (std::size_t i = 0; i < owners.size(); ++i) {
          gave += before[i] == n.id && owners[i] != n.id ? 1 : 0;
          took += before[i] != n.id && owners[i] == n.id ? 1 : 0;
        }
        REQUIRE((gave == 0 || took == 0));
      }
    }
  }
}

TEST_CASE("a thousand nodes and 4096 shards", "[!benchmark]") {
  const auto owners = allocate(nodes_of(1000, 3), shard_owners(4096));
  BENCHMARK("from nothing") { return allocate(nodes_of(1000, 3), shard_owners(4096)); };
  BENCHMARK("a node joins") { return moves(owners, allocate(nodes_of(1001, 3), owners)); };
  BENCHMARK("half of the nodes die") { return adopt(nodes_of(500, 3), owners); };
}

}  // namespace baraza::cluster
