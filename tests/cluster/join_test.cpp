// Requests that go with the commit of another, on a running node.
#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>

#include "cluster/services.hpp"
#include "tests/cluster/probe_entity.hpp"

using namespace baraza;
using namespace baraza::testing;

namespace {

entity_id table() { return {entity_kind::table, uuid::v7(1'700'000'000'000)}; }

}  // namespace

TEST_CASE(
    "what comes while a commit waits for the gate goes with it, in order, and nothing else does") {
  const temporary_folder folder;
  probe_node node{folder.url()};
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

TEST_CASE("one that fails as it joins takes nothing of the commit it came behind with it") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  auto& services = *node.node->services();
  const auto crashes = services.counters.crashes.load();
  caf::anon_send(services.gate.get(), cluster::gate_paused{true});
  (void)node.edge->send(*node.node, who, "join");
  CHECK(is_refused(node.edge->ask(*node.node, who, "venom"), "internal"));
  CHECK(services.counters.crashes.load() == crashes);  // it ends after the commit
  caf::anon_send(services.gate.get(), cluster::gate_paused{false});
  REQUIRE(node.eventually([&] { return services.counters.crashes == crashes + 1; }));
  CHECK(node.count(who) == 2);
  const auto known = node.edge->ask(*node.node, who, "known");
  REQUIRE(std::holds_alternative<actors::table_view>(known));
  CHECK(std::get<actors::table_view>(known).body == "1");  // it is not asked again
}

TEST_CASE("what waited together goes together, up to the first that does not join") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  auto& services = *node.node->services();
  const auto joins = probe_joins.load();
  caf::anon_send(services.gate.get(), cluster::gate_paused{true});
  std::vector<std::uint64_t> sent;  // before it is loaded
  for (const auto* what : {"join", "join", "join", "add", "join"})
    sent.push_back(node.edge->send(*node.node, who, what));
  REQUIRE(node.eventually([&] { return probe_joins == joins + 2; }));
  caf::anon_send(services.gate.get(), cluster::gate_paused{false});
  std::uint64_t seq = 0;
  for (const auto request : sent) {
    const auto answer = node.edge->wait(request);
    REQUIRE(is_accepted(answer));
    CHECK(std::get<actors::accepted>(answer).seq == ++seq);
  }
  CHECK(probe_joins == joins + 2);
}
