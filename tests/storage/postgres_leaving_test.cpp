// A process that ends in order leaves nothing that nobody could ever take.
#include <catch2/generators/catch_generators.hpp>

#include "storage/membership.hpp"
#include "tests/storage/membership_scene.hpp"

namespace baraza::tests {

using storage::errc;
using storage::member_status;
using storage::shard_change;
using storage::shard_row;
using scene = membership_scene;

TEST_CASE("a process that ends while it owns shards leaves them free, and commits no more",
          "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  REQUIRE(s.members->take(two.incarnation, std::vector<shard_change>{{5, 0}}));
  s.take_all(one.incarnation);
  const auto what = s.commit_in(3);
  auto writer = s.writer(one);
  if (GENERATE(false, true))
    REQUIRE(s.members->set_status(one.incarnation, member_status::draining));
  const auto version = s.state().version;

  REQUIRE(s.store->fence(one.incarnation));
  const auto after = s.state();
  REQUIRE(after.members.size() == 1);
  CHECK(after.members[0].incarnation == two.incarnation);
  CHECK(after.version > version);
  for (const auto& row : after.shards) {
    const auto owner = row.id == 5 ? two.incarnation : 0;
    CHECK(row == shard_row{row.id, owner, 1, 0, row.since});
  }
  CHECK(writer->apply({{one.incarnation, 0, 1}, {&what}}).code == errc::fenced);
  const auto taken = s.members->take(two.incarnation, std::vector<shard_change>{{3, 1}});
  REQUIRE(taken);
  CHECK(taken->at(0) == shard_row{3, two.incarnation, 2, 0, taken->at(0).since});
  REQUIRE(s.store->fence(one.incarnation));  // a repeat takes nothing from anybody
  CHECK(s.state().shards.at(3).owner == two.incarnation);
}

TEST_CASE("what a node that was alone leaves is free for the members that come", "[postgres]") {
  scene s;
  const auto alone = s.store->join({.name = "alone", .writers = 1, .shards = scene::shards});
  REQUIRE(alone);
  REQUIRE(s.store->fence(alone->incarnation));
  const auto one = s.join("one");
  s.take_all(one.incarnation);
  for (const auto& row : s.state().shards)
    CHECK(row == shard_row{row.id, one.incarnation, alone->epoch + 1, 0, row.since});
}

}  // namespace baraza::tests
