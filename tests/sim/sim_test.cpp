// Whatever goes wrong: one owner, dense journals, no lost move, no lost or made money, no match
// settled twice, and in the end every match over.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "tests/sim/world.hpp"

namespace baraza::sim {
namespace {

std::uint64_t number_of(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}
bug bug_of(const char* name) {
  for (const auto& one : all_bugs)
    if (name != nullptr && one.name == name) return one.what;
  return bug::none;
}

constexpr std::size_t failures_shown = 20;  // then a run ends: there is enough to look at

/// How many seeds it took to see the bug; 0: it was not seen.
std::uint64_t seeds_to_find(bug what, std::uint64_t most) {
  const bool rolls = what == bug::level_over_newcomers;
  for (std::uint64_t seed = 1; seed <= most; ++seed) {
    world w{{.seed = seed, .with = what, .rolls_upgrade = rolls}};
    if (const auto why = w.run(); !why.empty()) {
      world sound{{.seed = seed, .rolls_upgrade = rolls}};
      if (!sound.run().empty()) continue;  // not this bug's doing
      UNSCOPED_INFO("seed " << seed << ": " << why);
      return seed;
    }
  }
  return 0;
}

}  // namespace

// SIM_SEED=<n> SIM_SEEDS=1 replays one run; SIM_SECONDS ends a long one; SIM_BUG names a bug.
TEST_CASE("no fault breaks a promise, and healed every match ends", "[sim]") {
  const auto first = number_of("SIM_SEED", 1);
  const auto seeds = number_of("SIM_SEEDS", 2'000);
  const std::chrono::seconds most{number_of("SIM_SECONDS", 100'000)};
  const auto with = bug_of(std::getenv("SIM_BUG"));
  const auto began = std::chrono::steady_clock::now();
  world::tally all;
  std::size_t commits = 0, deaths = 0, takes = 0, left = 0, failed = 0;
  auto seed = first;
  for (; seed < first + seeds && std::chrono::steady_clock::now() - began < most; ++seed) {
    world w{{.seed = seed, .with = with, .keeps_log = seeds == 1}};
    const auto why = w.run();
    if (!why.empty()) {
      if (seeds == 1) std::cout << w.picture();
      std::cout << "tests/sim/run --seed " << seed << ": " << why << std::endl;
      FAIL_CHECK("replay: tests/sim/run --seed " << seed << ": " << why);
      if (++failed == failures_shown) break;
    }
    commits += w.store.commits, deaths += w.store.deaths, takes += w.store.takes,
        left += w.store.left;
    all.acknowledged += w.count.acknowledged, all.unknown += w.count.unknown;
    all.messages += w.count.messages, all.lost += w.count.lost, all.crashes += w.count.crashes;
    all.joins += w.count.joins;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << seed - first << " seeds in " << took.count() << " s: " << commits << " commits, "
            << all.acknowledged << " moves acknowledged, " << all.unknown << " unknown outcomes, "
            << deaths << " nodes declared dead, " << left << " left, " << takes << " shards taken, "
            << all.messages << " messages, " << all.lost << " lost, " << all.crashes
            << " entities crashed, " << all.joins << " moves joined a commit\n";
  CHECK(commits > seed - first);
  if (seed - first >= 100) {  // enough for every fault to have shown
    CHECK(deaths > 0);
    CHECK(left > 0);
    CHECK(all.unknown > 0);
    CHECK(all.joins > 0);
    CHECK(all.acknowledged > seed - first);
  }
}

TEST_CASE("a roll to a newer binary: the level rises when the last old one is gone, not before",
          "[sim]") {
  const auto seeds = number_of("SIM_SEEDS", 300);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    world w{{.seed = seed, .rolls_upgrade = true}};
    REQUIRE(w.run() == "");
    CHECK(w.store.level() == 2);
    CHECK(w.store.join("old", 1, 1, w.store_now()) == 0);
  }
}

TEST_CASE("the same seed gives the same run", "[sim]") {
  world one{{.seed = 7}}, same{{.seed = 7}}, other{{.seed = 8}};
  for (auto* w : {&one, &same, &other}) w->run();
  CHECK(one.trace() == same.trace());
  CHECK(one.store.commits == same.store.commits);
  CHECK(one.trace() != other.trace());
}

TEST_CASE("an edge that lost a push knows within a second or two, be it the last", "[sim]") {
  constexpr int seeds = 200;
  millis longest = 0;
  std::size_t lost = 0;
  run_options options{.fault_steps = 0, .lost_pushes = 20, .told_within_ms = 2'200};
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    world w{options};
    const auto why = w.run();
    INFO("seed " << options.seed);
    REQUIRE(why == "");
    longest = std::max(longest, w.longest_behind);
    lost += w.count.lost;
  }
  CHECK(lost > seeds);
  CHECK(longest > 500);  // it was the digest that told
  // One digest, and once more where it overtook an older view.
  std::cout << "one push in five lost: an edge was behind for " << longest << " ms at most\n";
  options.with = bug::lost_last_push;
  bool is_seen = false;
  for (options.seed = 1; options.seed <= 50 && !is_seen; ++options.seed)
    is_seen = world{options}.run() == "an edge learned of an event too late";
  CHECK(is_seen);
}

TEST_CASE("the simulator finds each bug put in on purpose", "[sim]") {
  for (const auto& one : all_bugs) {
    INFO(one.name);
    const auto seeds = seeds_to_find(one.what, one.seeds_max);
    CHECK(seeds > 0);
    if (std::getenv("SIM_VERBOSE") != nullptr) std::cout << one.name << ": seed " << seeds << "\n";
  }
}

}  // namespace baraza::sim
