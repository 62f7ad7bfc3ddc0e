// Requests that go with the commit of another, on a running node.
#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

#include "cluster/services.hpp"
#include "tests/cluster/probe_entity.hpp"

using namespace baraza;
using namespace baraza::testing;

namespace {

entity_id table() { return {entity_kind::table, uuid::v7(1'700'000'000'000)}; }
std::string url(const temporary_folder& at) { return "sqlite:" + (at.path / "store.db").string(); }

}  // namespace

TEST_CASE(
    "what comes while a commit waits for the gate goes with it, in order, and nothing else does") {
  const temporary_folder folder;
  probe_node node{url(folder)};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  auto& services = *node.node->services();
  const auto commits = services.counters.commits.load();
  const auto requests = services.counters.requests.load();
  const auto joins = probe_joins.load();
  caf::anon_send(services.gate.get(), cluster::gate_paused{true});
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(node.edge->send(*node.node, who, "join"));
  REQUIRE(node.eventually([&] { return probe_joins == joins + 4; }));
  const auto after = node.edge->send(*node.node, who, "add");
  // Behind one that does not join nobody does: it would overtake it.
  const auto late = node.edge->send(*node.node, who, "join");
  // Both are in the host's mailbox, before the word of a commit that has yet to be written.
  REQUIRE(node.eventually([&] { return services.counters.requests == requests + 7; }));
  caf::anon_send(services.gate.get(), cluster::gate_paused{false});
  std::uint64_t seq = 1;
  for (const auto request : sent) {
    const auto answer = node.edge->wait(request);
    REQUIRE(is_accepted(answer));
    CHECK(std::get<actors::accepted>(answer).seq == ++seq);
  }
  CHECK(std::get<actors::accepted>(node.edge->wait(after)).seq == 7);
  CHECK(std::get<actors::accepted>(node.edge->wait(late)).seq == 8);
  CHECK(probe_joins == joins + 4);
  CHECK(services.counters.commits.load() == commits + 3);
  CHECK(node.count(who) == 8);
}
