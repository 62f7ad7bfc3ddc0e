#include "cluster/membership/rebalancer.hpp"

#include <algorithm>

namespace baraza::cluster {
namespace {

using storage::cluster_state;
using storage::member_status;
using time_point = rebalancer::time_point;

/// `nodes` members that are up; shards dealt out evenly among the first `owners`.
cluster_state state_of(std::uint64_t nodes, std::uint64_t owners, std::uint32_t shards) {
  cluster_state state{.version = 1, .now = 100'000};
  for (std::uint64_t i = 1; i <= nodes; ++i)
    state.members.push_back({.incarnation = i, .status = member_status::up});
  for (shard_id s = 0; s < shards; ++s) state.shards.push_back({s, 1 + s % owners, 1});
  return state;
}
void take(cluster_state& state, shard_id shard, std::uint64_t who) {
  auto& row = state.shards[shard];
  row = {shard, who, row.epoch + 1};
}

}  // namespace

TEST_CASE("a newcomer is filled, a few shards at a time, and then nothing moves") {
  auto state = state_of(4, 3, 96);
  rebalancer balance{8};
  time_point now{1h};
  std::size_t moved = 0;
  for (int round = 0; round < 100; ++round, now += 10ms) {
    const auto asks = balance.tick(state, 1, now);
    REQUIRE(balance.in_flight() <= 8);
    if (asks.empty()) break;
    for (const auto& ask : asks) {
      REQUIRE(ask.to == 4);
      REQUIRE(state.shards[ask.shard].owner == ask.from);
      REQUIRE(state.shards[ask.shard].epoch == ask.epoch);
    }
    take(state, asks.front().shard, 4);  // one at a time gets there
    ++moved;
  }
  while (balance.in_flight() > 0 && moved < 96) {
    for (const auto& ask : balance.tick(state, 1, now += handoff_retry))
      take(state, ask.shard, 4), ++moved;
  }
  CHECK(moved == 24);
  CHECK(balance.tick(state, 1, now + 1h).empty());
}

TEST_CASE("an ask that is not heard is repeated, not multiplied") {
  const auto state = state_of(2, 1, 8);
  rebalancer balance;
  const time_point now{1h};
  const auto asks = balance.tick(state, 3, now);
  CHECK(asks.size() == 4);
  CHECK(balance.tick(state, 3, now + handoff_retry / 2).empty());
  CHECK(balance.next_look(now) == now + handoff_retry);
  CHECK(balance.tick(state, 3, now + handoff_retry) == asks);
}

TEST_CASE("a successor of the coordinator asks the same, from the rows alone") {
  auto state = state_of(5, 4, 64);
  rebalancer first, second;
  auto asks = first.tick(state, 1, time_point{1h});
  state.shards[asks[0].shard] = {asks[0].shard, 0, 1, asks[0].to, state.now};  // released
  asks.erase(asks.begin());
  for (auto& ask : asks) ask.coordinator_epoch = 2;
  CHECK(second.tick(state, 2, time_point{1h}) == asks);
}

TEST_CASE("a draining node goes first, and takers that die meanwhile are replaced") {
  auto state = state_of(4, 4, 64);
  state.members[1].status = member_status::draining;
  rebalancer balance{4};
  time_point now{1h};
  auto asks = balance.tick(state, 1, now);
  REQUIRE(asks.size() == 4);
  for (const auto& ask : asks) REQUIRE(ask.from == 2);
  const auto dead = asks[0].to;
  std::erase_if(state.members, [&](const auto& m) { return m.incarnation == dead; });
  const std::uint64_t over[] = {dead};
  for (const auto& change : reassign(state, over)) take(state, change.shard, change.to);
  asks = balance.tick(state, 1, now += 1ms);
  REQUIRE_FALSE(asks.empty());
  for (const auto& ask : asks) CHECK(ask.to != dead);
}

TEST_CASE("an operator's order is carried out, and forgotten when it is done") {
  auto state = state_of(2, 2, 8);
  rebalancer balance;
  time_point now{1h};
  CHECK(balance.tick(state, 1, now).empty());
  balance.order(0, 2);
  const auto asks = balance.tick(state, 1, now);
  REQUIRE(std::ranges::count_if(asks, [](const auto& a) { return a.shard == 0 && a.to == 2; }) ==
          1);
  for (const auto& ask : asks) take(state, ask.shard, ask.to);
  balance.tick(state, 1, now += 1s);
  CHECK(balance.tick(state, 1, now += 1s).size() <= 1);
}

TEST_CASE("what an operator has moved stays: the balance moves another shard back") {
  for (shard_id shard = 0; shard < 8; ++shard) {
    auto state = state_of(2, 2, 8);
    const auto to = 3 - state.shards[shard].owner;
    rebalancer balance;
    balance.order(shard, to);
    for (auto now = time_point{1h}; now < time_point{1h} + 5s; now += 1s)
      for (const auto& ask : balance.tick(state, 1, now)) take(state, ask.shard, ask.to);
    CHECK(state.shards[shard].owner == to);
    CHECK(std::ranges::count(state.shards, to, &storage::shard_row::owner) == 4);
  }
}

TEST_CASE(
    "a death's transaction names an heir for all the dead own or were to take, no other row") {
  auto state = state_of(4, 4, 40);
  state.shards[0] = {0, 0, 7, 3, state.now};  // free, for the dead
  state.shards[1] = {1, 0, 7, 1, state.now};  // free, for the living
  const std::uint64_t dead[] = {3, 4};
  const auto changes = reassign(state, dead);
  for (const auto& row : state.shards) {
    const bool lost = row.owner == 3 || row.owner == 4 || row.id == 0;
    const auto found = std::ranges::find(changes, row.id, &reassignment::shard);
    REQUIRE((found != changes.end()) == lost);
    if (!lost) continue;
    CHECK(found->epoch == row.epoch);
    CHECK((found->to == 1 || found->to == 2));
  }
  const std::uint64_t all[] = {1, 2, 3, 4};
  for (const auto& change : reassign(state, all)) CHECK(change.to == 0);
}

TEST_CASE("a free shard has an heir when its taker is gone, was never named, or is too late") {
  auto state = state_of(3, 3, 6);
  state.shards[0] = {0, 0, 2, 2, state.now - 100};   // under way
  state.shards[1] = {1, 0, 2, 9, state.now - 100};   // for somebody dead
  state.shards[2] = {2, 0, 2, 0, state.now - 100};   // for nobody
  state.shards[3] = {3, 0, 2, 1, state.now - 2001};  // too late
  const auto heirs = heirs_of(state);
  REQUIRE(heirs.size() == 3);
  CHECK(heirs[0].shard == 1);
  CHECK(heirs[1].shard == 2);
  CHECK(heirs[2].shard == 3);
  for (const auto& h : heirs) CHECK(h.who != 1);  // it had its chance
  std::erase_if(state.members, [](const auto& m) { return m.incarnation != 1; });
  for (const auto& h : heirs_of(state)) CHECK(h.who == 1);  // nobody else is left
}

TEST_CASE("what is free goes to one that drains only while nobody is up who owns shards") {
  auto state = state_of(3, 3, 6);
  state.members[0].status = member_status::draining;
  state.members[2].weight = 0;                       // an edge
  state.shards[1] = {1, 0, 2, 9, state.now - 100};   // handed to somebody who has died
  state.shards[2] = {2, 0, 2, 0, state.now - 9000};  // for nobody
  for (const auto& h : heirs_of(state)) CHECK(h.who == 2);
  std::erase_if(state.members, [](const auto& m) { return m.incarnation == 2; });
  const auto heirs = heirs_of(state);
  REQUIRE(heirs.size() == 2);
  for (const auto& h : heirs) CHECK(h.who == 1);
}

}  // namespace baraza::cluster
