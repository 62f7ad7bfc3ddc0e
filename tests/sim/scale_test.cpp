// Two hundred nodes, of which twenty die at once: how long until each shard is served by one that
// lives, and what it costs each node to watch so many others. Members and shards; no entities.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/sim/node.hpp"

namespace baraza::sim {
namespace {

constexpr std::uint32_t shards = 1024;

class large_cluster {
 public:
  large_cluster(std::uint64_t seed, int nodes, bool calm = true)
      : world_{{.seed = seed, .shards = shards, .games = nodes}} {
    for (int i = 0; i < nodes; ++i) world_.start_node(false, "game" + std::to_string(i));
    if (calm) world_.calm();
    REQUIRE(within(120'000, [&] { return is_balanced(); }));
  }
  world& all() { return world_; }

  /// @returns virtual milliseconds until `what` held; -1: it did not within `most`
  template <class F>
  millis time_until(millis most, F&& what) {
    const auto began = world_.now();
    while (!what()) {
      if (world_.now() - began > most || !world_.store.violation.empty()) return -1;
      world_.run_for(50);
    }
    return world_.now() - began;
  }
  template <class F>
  bool within(millis most, F&& what) {
    return time_until(most, what) >= 0;
  }

  [[nodiscard]] std::size_t living() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(world_.nodes(), [](const auto& n) { return n.second->running; }));
  }
  /// The store knows them all as up, and nobody else.
  [[nodiscard]] bool is_known() const {
    const auto& members = world_.store.members();
    return members.size() == living() && std::ranges::all_of(members, [](const auto& m) {
             return m.second.status == storage::member_status::up;
           });
  }
  [[nodiscard]] bool is_served() {
    return std::ranges::all_of(world_.store.rows(), [&](const storage::shard_row& row) {
      const auto* owner = world_.find(row.owner);
      return owner != nullptr && owner->running &&
             owner->member.shards().phase_of(row.id) == cluster::shard_phase::open;
    });
  }
  [[nodiscard]] bool is_balanced() {
    if (!is_known() || !is_served()) return false;
    std::map<std::uint64_t, std::size_t> held;
    for (const auto& row : world_.store.rows()) ++held[row.owner];
    const auto least = shards / living();
    return held.size() == living() && std::ranges::all_of(held, [&](const auto& h) {
             return h.second == least || h.second == least + 1;
           });
  }
  /// Everyone routes alike, by the newest view.
  [[nodiscard]] bool is_agreed() {
    const auto version = world_.store.read(world_.store_now()).version;
    return std::ranges::all_of(world_.nodes(), [&](const auto& n) {
      return !n.second->running || n.second->member.view().version() == version;
    });
  }

 private:
  world world_;
};

/// Of each node in a second of rest.
struct traffic {
  double messages = 0, store_calls = 0;
};
traffic at_rest(large_cluster& c) {
  const auto before = c.all().count;
  constexpr millis seconds = 20;
  c.all().run_for(seconds * 1'000);
  const auto& after = c.all().count;
  const auto each = static_cast<double>(c.living()) * static_cast<double>(seconds);
  return {static_cast<double>(after.messages - before.messages) / each,
          static_cast<double>(after.store_calls - before.store_calls) / each};
}

}  // namespace

TEST_CASE("twenty of two hundred nodes die at once: all shards are served within 2 s", "[sim]") {
  large_cluster c{1, 200};
  int killed = 0;
  for (const auto& [id, n] : c.all().nodes())
    if (id % 10 == 3) c.all().kill(*n), ++killed;
  REQUIRE(killed == 20);
  const auto before = c.all().count;
  const auto known = c.time_until(60'000, [&] { return c.is_known(); });
  const auto served = known + c.time_until(60'000, [&] { return c.is_served(); });
  const auto agreed = served + c.time_until(60'000, [&] { return c.is_agreed(); });
  const auto balanced = agreed + c.time_until(120'000, [&] { return c.is_balanced(); });
  REQUIRE(c.all().store.violation == "");
  const auto& after = c.all().count;
  std::cout << "200 nodes, 20 die: declared after " << known << " ms, all shards served after "
            << served << ", one view after " << agreed << ", balanced after " << balanced << "; "
            << after.messages - before.messages << " messages and "
            << after.store_calls - before.store_calls << " store calls in all\n";
  CHECK(c.all().store.deaths == 20);
  CHECK(known <= 1'000);
  CHECK(served <= 2'000);
  CHECK(agreed <= 4'000);
}

TEST_CASE("likewise while messages are lost and store calls fail; nobody else is taken for dead",
          "[sim]") {
  millis longest = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    large_cluster c{seed, 200, false};
    for (const auto& [id, n] : c.all().nodes())
      if (id % 10 == seed) c.all().kill(*n);
    const auto served = c.time_until(60'000, [&] { return c.is_known() && c.is_served(); });
    REQUIRE(c.all().store.violation == "");
    CHECK(c.all().store.deaths == 20);
    CHECK(served >= 0);
    longest = std::max(longest, served);
  }
  std::cout << "with 2 % of messages lost and 3 % of store calls: served after " << longest
            << " ms\n";
  CHECK(longest <= 6'000);
}

TEST_CASE("what a node sends to watch the others does not grow with their number", "[sim]") {
  std::map<int, traffic> each;
  for (const int nodes : {10, 50, 200}) {
    large_cluster c{2, nodes};
    each[nodes] = at_rest(c);
    std::cout << nodes << " nodes at rest: " << each[nodes].messages << " messages and "
              << each[nodes].store_calls << " store calls of each in a second\n";
    CHECK(c.all().store.deaths == 0);
  }
  CHECK(each[200].messages < each[10].messages * 1.1);
  CHECK(each[200].store_calls < each[10].store_calls * 1.1);
}

}  // namespace baraza::sim
