// Any schedule of moves, deaths, pauses and late store operations: one owner an epoch, no commit
// after a release, and in the end every shard served.
#include "tests/cluster/membership/shard_world.hpp"

namespace baraza::cluster {
namespace {

using bug = shard_world::bug;
constexpr std::uint32_t shards = 24;

/// One schedule of about a minute.
void run(shard_world& world) {
  for (int i = 0; i < 3; ++i) world.join();
  for (int i = 0; i < 60 && world.violation().empty(); ++i) {
    world.act_at_random();
    world.run_for(std::chrono::milliseconds{700});
  }
}

/// Whether some schedule of `count` shows the bug.
bool is_found(bug what, std::uint64_t count) {
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    shard_world world{seed, shards, what};
    run(world);
    if (!world.violation().empty()) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("no schedule gives a shard two owners in one epoch or leaves it unowned for ever") {
  const auto first = tests::schedule_seed();
  std::size_t commits = 0, moves = 0;
  for (auto seed = first; seed < first + 60; ++seed) {
    CAPTURE(seed);  // BARAZA_TEST_SEED=<seed> repeats it first
    shard_world world{seed, shards};
    run(world);
    REQUIRE(world.violation() == "");
    world.heal();
    std::string why = "not run";
    for (int i = 0; i < 60 && !(why = world.why_not_whole()).empty(); ++i)
      world.run_for(std::chrono::milliseconds{1000});
    REQUIRE(world.violation() == "");
    REQUIRE(why == "");
    commits += world.commits();
    moves += world.moves();
  }
  INFO(commits << " commits, " << moves << " moves");
  CHECK(commits > 10'000);
  CHECK(moves > 1'000);
}

TEST_CASE("the same seed gives the same run") {
  const auto seed = tests::schedule_seed();
  CAPTURE(seed);
  shard_world one{seed, shards}, other{seed, shards}, next{seed + 1, shards};
  for (auto* world : {&one, &other, &next}) run(*world);
  CHECK(one.trace() == other.trace());
  CHECK(one.commits() == other.commits());
  CHECK(one.trace() != next.trace());
}

TEST_CASE("the oracle finds bugs put in on purpose") {
  CHECK(is_found(bug::release_before_flight, 40));
  CHECK(is_found(bug::no_fence, 40));
  CHECK(is_found(bug::reopen_in_place, 40));
}

}  // namespace baraza::cluster
