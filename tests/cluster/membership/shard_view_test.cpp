#include "cluster/membership/shard_view.hpp"

#include <algorithm>

#include "tests/cluster/membership/seed.hpp"

namespace baraza::cluster {
namespace {

storage::cluster_state state_of(std::uint64_t version, std::vector<storage::shard_row> rows) {
  return {.version = version, .shards = std::move(rows)};
}

}  // namespace

TEST_CASE("a newer snapshot tells what changed, an older one nothing") {
  shard_view view{1, 4};
  CHECK(view.apply(state_of(5, {{0, 1, 3}, {1, 2, 3}})) == std::vector<shard_id>{0, 1});
  CHECK(view.apply(state_of(6, {{0, 1, 3}, {1, 1, 4}})) == std::vector<shard_id>{1});
  CHECK(view.apply(state_of(5, {{0, 7, 9}})).empty());
  CHECK(view.at(0).owner == 1);
  CHECK(view.version() == 6);
  CHECK(view.owned_by(1) == std::vector<shard_id>{0, 1});
  CHECK(view.apply(state_of(7, {{99, 1, 1}})).empty());  // of another shard count
}

TEST_CASE("one shard's news may be newer than the snapshot and is not taken back by it") {
  shard_view view{1, 2};
  view.apply(state_of(5, {{0, 1, 3}, {1, 2, 3}}));
  CHECK(view.learn(1, {.owner = 3, .epoch = 4, .version = 8}));
  CHECK_FALSE(view.learn(1, {.owner = 2, .epoch = 3, .version = 9}));  // an old owner speaks late
  CHECK(view.is_behind());
  CHECK(view.apply(state_of(7, {{0, 1, 3}, {1, 2, 3}})).empty());
  CHECK(view.at(1).owner == 3);
  view.apply(state_of(9, {{0, 1, 3}, {1, 3, 4}}));
  CHECK_FALSE(view.is_behind());
  CHECK_FALSE(view.learn(9, {.owner = 1, .epoch = 1, .version = 1}));
}

TEST_CASE("a snapshot without shards does not pass for one with them") {
  shard_view view{1, 1};
  view.apply(state_of(5, {{0, 1, 3}}));
  view.apply(state_of(6, {}));
  CHECK(view.version() == 5);
  CHECK(view.is_behind());
}

TEST_CASE("an envelope is ours, moved, or a reason to refresh") {
  shard_view view{1, 4};
  view.apply(state_of(10, {{0, 1, 5}, {1, 2, 5}, {2, 0, 5, 1}, {3, 0, 5, 2}}));
  CHECK(view.judge(0, 5, 10) == arrival::ours);
  CHECK(view.judge(0, 4, 8) == arrival::ours);     // the sender is behind, and yet right
  CHECK(view.judge(0, 6, 9) == arrival::refresh);  // an epoch we have not heard of
  CHECK(view.judge(1, 5, 10) == arrival::moved);
  CHECK(view.judge(1, 4, 9) == arrival::moved);
  CHECK(view.judge(1, 5, 11) == arrival::refresh);  // same epoch, newer view: perhaps freed to us
  CHECK(view.judge(2, 5, 10) == arrival::ours);     // free, and we are the one to take it
  CHECK(view.judge(3, 5, 10) == arrival::moved);
  CHECK(view.judge(9, 1, 1) == arrival::refresh);
}

TEST_CASE("what has changed is told once, however often it changed, and nothing else") {
  shard_view view{1, 4};
  CHECK(view.take_changed().empty());
  view.learn(2, {.owner = 2, .epoch = 1, .version = 1});
  view.learn(0, {.owner = 3, .epoch = 1, .version = 1});
  view.learn(2, {.owner = 0, .epoch = 1, .version = 2});
  view.learn(0, {.owner = 9, .epoch = 0, .version = 9});  // older
  CHECK(view.take_changed() == std::vector<shard_id>{2, 0});
  view.learn(2, view.at(2));
  CHECK(view.take_changed().empty());
  view.learn(2, {.owner = 0, .epoch = 1, .version = 3});  // a version alone counts: it is told, too
  CHECK(view.take_changed() == std::vector<shard_id>{2});
}

TEST_CASE("a shard that its owner gave was not adopted; one of a dead owner was") {
  constexpr std::uint64_t self = 1, other = 2, third = 3;
  shard_view view{self, 2};
  view.learn(0, {.owner = other, .epoch = 1, .version = 1});
  CHECK_FALSE(view.take_adopted());
  const shard_place here{.owner = self, .epoch = 2, .version = 1};
  storage::cluster_state state{.version = 2, .members = {{.incarnation = self}}};
  state.shards = {{.id = 0, .owner = self, .epoch = 2}};
  SECTION("its owner says so") {
    view.learn(0, here, other);
    CHECK_FALSE(view.take_adopted());
  }
  SECTION("its owner says so, but gave it to another before, who is gone") {
    view.learn(0, {.owner = self, .epoch = 3, .version = 3}, other);
    CHECK(view.take_adopted());
  }
  SECTION("read, an owner later; the one known here lives") {
    state.members.push_back({.incarnation = other});
    state.shards[0].epoch = 3;
    view.apply(state);
    CHECK(view.take_adopted());
  }
  SECTION("who declared its owner dead says so") {
    view.learn(0, here, third);
    CHECK(view.take_adopted());
    CHECK_FALSE(view.take_adopted());  // told once
  }
  SECTION("read, and its owner lives") {
    state.members.push_back({.incarnation = other});
    view.apply(state);
    CHECK_FALSE(view.take_adopted());
  }
  SECTION("read, and its owner is gone") {
    view.apply(state);
    CHECK(view.take_adopted());
  }
  SECTION("taken when it was free") {
    view.learn(0, {.owner = 0, .epoch = 1, .next_owner = self, .version = 2});
    view.learn(0, here);
    CHECK_FALSE(view.take_adopted());
  }
}

TEST_CASE("whatever the order of the news, views that heard all of it agree") {
  const auto seed = tests::schedule_seed();
  CAPTURE(seed);
  tests::random_source random{seed};
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    // One shard's true history: a change of hands raises the epoch, becoming free keeps it.
    std::vector<shard_place> history{{.owner = 2, .epoch = 1, .version = 1}};
    for (std::uint64_t version = 2; version < 30; ++version) {
      auto next = history.back();
      const auto taker = static_cast<std::uint64_t>(tests::pick(random, 1, 4));
      if (next.owner != 0 && taker != next.owner && tests::pick(random, 0, 1) == 0)
        next = {taker, next.epoch + 1, 0, version};
      else if (next.owner != 0)
        next = {0, next.epoch, taker, version};
      else
        next = {next.next_owner, next.epoch + 1, 0, version};
      history.push_back(next);
    }
    auto heard = history;
    std::ranges::shuffle(heard, random);
    shard_view view{1, 1};
    std::uint64_t epoch = 0;
    for (const auto& place : heard) {
      view.learn(0, place);
      REQUIRE(view.at(0).epoch >= epoch);
      epoch = view.at(0).epoch;
    }
    REQUIRE(view.at(0) == history.back());
  }
}

}  // namespace baraza::cluster
