#include "cluster/membership/operator_rules.hpp"

#include <catch2/catch_test_macros.hpp>

namespace baraza::cluster {
namespace {

using action = operator_wish::action;
using kind = operator_verdict::kind;
using storage::cluster_state;
using storage::member_status;

/// Three that are up, the third an edge; eight shards of the first two. The first is asked.
cluster_state cluster() {
  cluster_state out{.version = 1, .now = 100'000};
  for (std::uint64_t i = 1; i <= 3; ++i)
    out.members.push_back({.incarnation = i,
                           .name = "n" + std::to_string(i),
                           .weight = i == 3 ? 0u : 1u,
                           .status = member_status::up,
                           .renewed_at = 99'000,
                           .lease_until = 104'000});
  for (shard_id s = 0; s < 8; ++s) out.shards.push_back({s, 1 + s % 2, 1});
  return out;
}

std::string code(action what, const std::string& node, const cluster_state& in, shard_id shard = 0,
                 bool hears = false) {
  const auto said = judge({what, node, shard, "amina"}, in, 1, hears);
  if (!said) return "go";
  return said->how == kind::done ? "so already" : said->code;
}

}  // namespace

TEST_CASE("a node drains only if another one can take its shards") {
  auto state = cluster();
  CHECK(code(action::drain, "n2", state) == "go");
  CHECK(code(action::drain, "n3", state) == "go");  // it has none
  CHECK(code(action::drain, "n4", state) == "unknown_node");
  state.members[1].status = member_status::draining;
  CHECK(code(action::drain, "n2", state) == "so already");
  CHECK(code(action::drain, "n1", state) == "no_heir");
  CHECK(code(action::drain, "n3", state) == "go");
  state.members[1].status = member_status::joining;
  CHECK(code(action::drain, "n2", state) == "joining");
  state = cluster();
  state.members[1].lease_until = 99'999;  // it may be dead
  CHECK(code(action::drain, "n1", state) == "no_heir");
}

TEST_CASE("only what drains is undrained") {
  auto state = cluster();
  CHECK(code(action::undrain, "n2", state) == "so already");
  state.members[1].status = member_status::draining;
  CHECK(code(action::undrain, "n2", state) == "go");
  state.members[1].status = member_status::joining;
  CHECK(code(action::undrain, "n2", state) == "joining");
}

TEST_CASE("who lives is not removed, whatever his lease says") {
  auto state = cluster();
  const auto said = judge({action::remove, "n2", 0, "amina"}, state, 1, false);
  REQUIRE(said);
  CHECK(said->code == "alive");
  CHECK(said->message.find("1000 ms ago") != std::string::npos);
  for (auto& m : state.members) m.lease_until = 99'999;  // the store was away
  CHECK(code(action::remove, "n2", state, 0, true) == "alive");
  CHECK(code(action::remove, "n1", state) == "alive");  // the node that is asked
  CHECK(code(action::remove, "n2", state, 0, false) == "go");
}

TEST_CASE("a shard moves to a node that is up and owns shards") {
  auto state = cluster();
  CHECK(code(action::move, "n2", state, 0) == "go");
  CHECK(code(action::move, "n1", state, 0) == "so already");
  CHECK(code(action::move, "n3", state, 0) == "owns_no_shards");
  CHECK(code(action::move, "n2", state, 8) == "unknown_shard");
  CHECK(code(action::move, "nobody", state, 0) == "unknown_node");
  state.members[1].status = member_status::draining;
  CHECK(code(action::move, "n2", state, 0) == "owns_no_shards");
}

}  // namespace baraza::cluster
