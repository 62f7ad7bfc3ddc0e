// The cluster's level on a real PostgreSQL (rule A9): who may raise it, and who may not join.
#include <future>

#include "storage/membership.hpp"
#include "tests/storage/membership_scene.hpp"

namespace baraza::tests {
namespace {

using storage::errc;
using storage::member_status;

/// A store whose members are of binaries of different levels.
struct level_scene : membership_scene {
  storage::result<storage::node_grant> try_join_at(const std::string& name, std::uint16_t level) {
    return members->join(
        {.name = name, .address = "local", .roles = "game", .level = level, .shards = shards});
  }
  std::uint64_t join_at(const std::string& name, std::uint16_t level) {
    const auto grant = try_join_at(name, level);
    REQUIRE(grant);
    REQUIRE(members->set_status(grant->incarnation, member_status::up));
    return grant->incarnation;
  }
  bool raise(std::uint64_t who, std::uint64_t epoch, std::uint16_t level) {
    const auto raised = members->raise_level(who, epoch, level);
    REQUIRE(raised);
    return *raised;
  }
};

}  // namespace

TEST_CASE("the level rises to what every living member can read, and never falls", "[postgres]") {
  level_scene s;
  const auto one = s.join_at("one", 3);
  const auto two = s.join_at("two", 2);
  const auto epoch = *s.members->coordinate(one, 60'000);
  CHECK(s.state().level == 1);
  CHECK_FALSE(s.raise(one, epoch, 3));
  const auto version = s.state().version;
  CHECK(s.raise(one, epoch, 2));
  CHECK(s.state().level == 2);
  CHECK(s.state().version > version);  // everybody reads it
  CHECK(s.members->renew(one, 5000)->level == 2);
  CHECK_FALSE(s.raise(one, epoch, 2));  // it is there: nothing to tell anybody
  CHECK_FALSE(s.raise(one, epoch, 1));
  CHECK(s.state().level == 2);
  SECTION("a draining one counts") {
    REQUIRE(s.members->set_status(two, member_status::draining));
    CHECK_FALSE(s.raise(one, epoch, 3));
  }
  SECTION("one that has left does not") {
    REQUIRE(s.members->set_status(two, member_status::left));
    CHECK(s.raise(one, epoch, 3));
  }
  SECTION("one that joins counts: it was let in, and will be up") {
    REQUIRE(s.members->set_status(two, member_status::left));
    REQUIRE(s.try_join_at("three", 2));
    CHECK_FALSE(s.raise(one, epoch, 3));
  }
}

TEST_CASE("only the coordinator of this epoch raises the level", "[postgres]") {
  level_scene s;
  const auto one = s.join_at("one", 2), two = s.join_at("two", 2);
  CHECK_FALSE(s.raise(one, 0, 2));  // nobody coordinates
  const auto epoch = *s.members->coordinate(one, -1);
  CHECK_FALSE(s.raise(two, epoch, 2));
  REQUIRE(*s.members->coordinate(two, 60'000) == epoch + 1);
  CHECK_FALSE(s.raise(one, epoch, 2));  // it was replaced
  CHECK_FALSE(s.raise(two, epoch, 2));
  CHECK(s.raise(two, epoch + 1, 2));
}

TEST_CASE("a binary older than the level cannot join, alone or in a cluster", "[postgres]") {
  level_scene s;
  const auto one = s.join_at("one", 2);
  CHECK(s.try_join_at("two", 1));
  REQUIRE(s.members->declare_dead(one, s.state().version,
                                  std::vector<std::uint64_t>{s.state().members.back().incarnation},
                                  {}));
  REQUIRE(s.raise(one, *s.members->coordinate(one, 60'000), 2));
  const auto old = s.try_join_at("two", 1);
  REQUIRE_FALSE(old);
  CHECK(old.why().code == errc::incompatible);
  CHECK(old.why().message.find("level 2") != std::string::npos);
  const auto alone = s.store->join({"alone", "local", "game", 2, membership_scene::shards, 1});
  REQUIRE_FALSE(alone);
  CHECK(alone.why().code == errc::incompatible);
  CHECK(s.state().members.size() == 1);  // whoever was refused has ended nobody
  REQUIRE(s.try_join_at("two", 2));
}

TEST_CASE("a node alone on its store raises the level by itself", "[postgres]") {
  level_scene s;
  REQUIRE(s.store->join({"alone", "local", "game", 2, membership_scene::shards, 3}));
  CHECK(s.state().level == 3);
  CHECK_FALSE(s.store->join({"alone", "local", "game", 2, membership_scene::shards, 2}));
}

TEST_CASE("a join and a raise at once: either the old one is out, or the level waits",
          "[postgres]") {
  level_scene s;
  const auto one = s.join_at("one", 2);
  const auto epoch = *s.members->coordinate(one, 60'000);
  auto other = s.open();
  for (int i = 0; i < 20; ++i) {
    const auto name = "old" + std::to_string(i);
    auto joining = std::async(std::launch::async, [&] {
      return other->join({.name = name, .address = "local", .level = 1, .shards = s.shards});
    });
    const bool raised = s.raise(one, epoch, 2);
    const auto joined = joining.get();
    CHECK(raised != static_cast<bool>(joined));
    if (raised) break;
    REQUIRE(s.members->set_status(joined->incarnation, member_status::up));
    REQUIRE(s.members->set_status(joined->incarnation, member_status::left));
  }
}

}  // namespace baraza::tests
