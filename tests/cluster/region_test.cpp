#include <catch2/catch_test_macros.hpp>

#include "actors/limits.hpp"
#include "tests/cluster/probe_entity.hpp"

using namespace baraza;
using namespace baraza::testing;

namespace {

entity_id table() { return {entity_kind::table, uuid::v7(1'700'000'000'000)}; }

}  // namespace

TEST_CASE("an acknowledged event survives the end of its node") {
  const temporary_folder folder;
  const auto who = table();
  {
    probe_node first{folder.url()};
    for (int i = 0; i < 20; ++i) REQUIRE(is_accepted(first.edge->ask(*first.node, who, "add")));
    REQUIRE(first.count(who) == 20);
  }
  probe_node second{folder.url()};
  CHECK(second.count(who) == 20);
}

TEST_CASE("requests that arrive during a commit are handled in order, none is lost") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 200; ++i) sent.push_back(node.edge->send(*node.node, who, "add"));
  std::uint64_t seq = 0;
  for (const auto request : sent) {
    const auto answer = node.edge->wait(request);
    REQUIRE(is_accepted(answer));
    REQUIRE(std::get<actors::accepted>(answer).seq == ++seq);
  }
}

TEST_CASE("a queue longer than its bound is refused as overloaded, not kept") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 2000; ++i) sent.push_back(node.edge->send(*node.node, who, "add"));
  std::uint64_t done = 0, refused = 0;
  for (const auto request : sent) {
    const auto answer = node.edge->wait(request);
    done += is_accepted(answer);
    refused += is_refused(answer, "overloaded");
  }
  CHECK(done + refused == 2000);
  CHECK(node.count(who) == done);
}

TEST_CASE("a crashed entity comes back from its journal and its edge is told") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  CHECK(is_refused(node.edge->ask(*node.node, who, "throw"), "internal"));
  CHECK(node.count(who) == 1);
  CHECK(node.eventually([&] { return node.edge->restarts == 1; }));
  CHECK(node.stops == 0);
}

TEST_CASE("a crash between commit and answer loses no event and repeats none") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  node.edge->send(*node.node, who, "crash_after_commit");
  const auto after = node.edge->ask(*node.node, who, "add");
  REQUIRE(is_accepted(after));
  CHECK(std::get<actors::accepted>(after).seq == 3);
  CHECK(node.count(who) == 2);
}

TEST_CASE("requests waiting behind the one that crashes are handled by the next life") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  std::vector<std::uint64_t> sent{node.edge->send(*node.node, who, "add"),
                                  node.edge->send(*node.node, who, "throw")};
  for (int i = 0; i < 50; ++i) sent.push_back(node.edge->send(*node.node, who, "add"));
  CHECK(is_refused(node.edge->wait(sent[1]), "internal"));
  for (std::size_t i = 2; i < sent.size(); ++i) REQUIRE(is_accepted(node.edge->wait(sent[i])));
  CHECK(node.count(who) == 51);
}

TEST_CASE("one that keeps crashing is backed off, its neighbours play on") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto bad = table(), good = table();
  for (int i = 0; i < 5; ++i)
    REQUIRE(is_refused(node.edge->ask(*node.node, bad, "throw"), "internal"));
  const auto before = std::chrono::steady_clock::now();
  node.edge->send(*node.node, bad, "throw");
  REQUIRE(is_accepted(node.edge->ask(*node.node, good, "add")));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::milliseconds{900});
  CHECK(node.count(bad) == 0);  // answered after the back-off of a second
  CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds{900});
}

TEST_CASE("a clock that always throws ends in a void after a bounded number of restarts") {
  const temporary_folder folder;
  probe_node node{folder.url(), 120'000, std::chrono::milliseconds{1}};
  const auto who = table();
  node.edge->send(*node.node, who, "fuse");
  const auto& counters = node.node->services()->counters;
  REQUIRE(node.eventually([&] { return counters.voids == 1; }));
  CHECK(counters.crashes == 1 + cluster::restarts_at_once_max + cluster::restarts_with_backoff_max);
  CHECK(counters.quarantines == 0);
  CHECK(is_refused(node.edge->ask(*node.node, who, "get"), "match_voided"));
}

TEST_CASE("requests that always throw end in quarantine: a stake is not given back at will") {
  const temporary_folder folder;
  probe_node node{folder.url(), 120'000, std::chrono::milliseconds{1}};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  const auto last = cluster::restarts_at_once_max + cluster::restarts_with_backoff_max;
  for (std::size_t i = 0; i <= last; ++i) {
    REQUIRE(is_refused(node.edge->ask(*node.node, who, "throw"), "internal"));
    // What every life commits forgives nothing.
    if (i < last) REQUIRE(is_accepted(node.edge->ask(*node.node, who, "life")));
  }
  CHECK(is_refused(node.edge->ask(*node.node, who, "get"), "quarantined"));
  CHECK(node.node->services()->counters.voids == 0);
}

TEST_CASE("one that gets on between its crashes is brought back for ever") {
  const temporary_folder folder;
  probe_node node{folder.url(), 120'000, std::chrono::milliseconds{1}};
  const auto who = table();
  for (int i = 0; i < 30; ++i) {
    REQUIRE(is_refused(node.edge->ask(*node.node, who, "throw"), "internal"));
    REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  }
  CHECK(node.count(who) == 30);
}

TEST_CASE("poisoned commands cost no restart budget and are known to the next life") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  constexpr std::size_t many = actors::poisons_max + 6;
  for (std::size_t i = 0; i < many; ++i)
    REQUIRE(is_refused(node.edge->ask(*node.node, who, "venom"), "internal"));
  const auto told = node.edge->ask(*node.node, who, "known");
  REQUIRE(std::holds_alternative<actors::table_view>(told));
  CHECK(std::get<actors::table_view>(told).body == std::to_string(actors::poisons_max));
  CHECK(std::get<actors::table_view>(told).seat == 1);  // it took over from a poisoned life
  REQUIRE(is_refused(node.edge->ask(*node.node, who, "throw"), "internal"));
  const auto later = node.edge->ask(*node.node, who, "known");
  REQUIRE(std::holds_alternative<actors::table_view>(later));
  CHECK(std::get<actors::table_view>(later).body == std::to_string(actors::poisons_max));
  CHECK(std::get<actors::table_view>(later).seat == 0);
}

TEST_CASE("a journal that cannot be folded is voided without the entity's code, and stays so") {
  const temporary_folder folder;
  const auto who = table();
  {
    probe_node node{folder.url()};
    REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
    REQUIRE(is_accepted(node.edge->ask(*node.node, who, "poison")));
    CHECK(is_refused(node.edge->ask(*node.node, who, "throw"),
                     "internal"));  // the next life reads the poison
    CHECK(is_refused(node.edge->ask(*node.node, who, "get"), "match_voided"));
    auto reader = node.store->open_reader();
    REQUIRE(reader);
    const auto events = (*reader)->events(who, 0, 100);
    REQUIRE(events);
    REQUIRE(events->size() == 3);
    CHECK(events->back().payload == "voided");
    CHECK(node.eventually([&] {
      const auto kept = (*reader)->incidents(10);
      return kept && kept->size() == 1 && kept->front().kind == "void";
    }));
  }
}

TEST_CASE("an idle entity is passivated and comes back with the next request") {
  const temporary_folder folder;
  probe_node node{folder.url(), 50};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  const auto& counters = node.node->services()->counters;
  CHECK(node.eventually([&] { return counters.passivations >= 1 && counters.entities == 0; }));
  CHECK(node.count(who) == 1);
  CHECK(counters.activations >= 2);
}

TEST_CASE("requests that meet an entity falling asleep are all answered") {
  const temporary_folder folder;
  probe_node node{folder.url(), 1};  // falls asleep whenever it can
  std::vector<entity_id> all;
  for (int i = 0; i < 20; ++i) all.push_back(table());
  for (int round = 0; round < 30; ++round) {
    std::vector<std::uint64_t> sent;
    for (const auto& who : all) sent.push_back(node.edge->send(*node.node, who, "add"));
    for (const auto request : sent) REQUIRE(is_accepted(node.edge->wait(request)));
  }
  for (const auto& who : all) CHECK(node.count(who) == 30);
}

TEST_CASE("a stored wake-up brings an entity of a dead node back without a request") {
  const temporary_folder folder;
  const auto who = table();
  {
    probe_node first{folder.url()};
    REQUIRE(is_accepted(first.edge->ask(*first.node, who, "wake 1")));
    REQUIRE(is_accepted(first.edge->ask(*first.node, who, "wake 300")));
  }
  probe_node second{folder.url()};
  const auto& counters = second.node->services()->counters;
  CHECK(second.eventually([&] { return counters.commits >= 1; }));
  CHECK(counters.requests == 0);
  CHECK(second.count(who) >= 1);
}

TEST_CASE("what brought its node down three times is voided without running its code") {
  const temporary_folder folder;
  const auto who = table();
  {
    probe_node first{folder.url()};
    REQUIRE(is_accepted(first.edge->ask(*first.node, who, "wake 30000")));
    for (int death = 0; death < 3; ++death)
      REQUIRE(first.store->count_attempt(std::span{&who, 1},
                                         storage::strike::hold));  // as the watchdog does
  }
  probe_node second{folder.url()};
  const auto& counters = second.node->services()->counters;
  REQUIRE(second.eventually([&] { return counters.voids >= 1; }));
  CHECK(counters.activations == 0);
  CHECK(counters.quarantines == 0);
  CHECK(is_refused(second.edge->ask(*second.node, who, "add"), "match_voided"));
}

namespace {

/// An entity of a few events, and a node that died since.
entity_id one_of_a_dead_node(const temporary_folder& folder) {
  const auto who = table();
  {
    probe_node first{folder.url()};
    for (int i = 0; i < 3; ++i) REQUIRE(is_accepted(first.edge->ask(*first.node, who, "add")));
  }
  auto store = storage::open(folder.url());
  REQUIRE(store);
  REQUIRE((*store)->join({.name = "dies", .shards = 16}));  // and never closes its fence
  return who;
}

std::uint32_t attempts_of(storage::store& store, const entity_id& who) {
  const auto reader = store.open_reader();
  const auto rows = (*reader)->activate(std::span{&who, 1});
  return rows->front().attempts;
}

}  // namespace

TEST_CASE("after a death a strike is counted before an entity's code runs, and forgotten after") {
  const temporary_folder folder;
  const auto who = one_of_a_dead_node(folder);
  storage::store* store = nullptr;
  std::atomic<std::uint32_t> seen{99};
  probe_folds = [&](const entity_id& folding) {
    if (store != nullptr && folding == who) seen = attempts_of(*store, who);
  };
  {
    probe_node second{folder.url()};
    store = second.store.get();
    CHECK(second.count(who) == 3);  // a request brings it back: it has no wake-up
    CHECK(seen == 1);
    CHECK(second.eventually([&] { return attempts_of(*store, who) == 0; }));
  }
  {
    probe_node third{folder.url()};  // the second one left in order
    store = third.store.get();
    CHECK(third.count(who) == 3);
    CHECK(seen == 0);
  }
  probe_folds = {};
}

TEST_CASE("a request does not run what brought its node down three times") {
  const temporary_folder folder;
  const auto who = one_of_a_dead_node(folder);
  std::atomic<int> folded{0};
  {
    auto store = storage::open(folder.url());
    for (int death = 0; death < 3; ++death)
      REQUIRE((*store)->count_attempt(std::span{&who, 1}, storage::strike::load));
  }
  probe_folds = [&](const entity_id&) { ++folded; };
  {
    probe_node second{folder.url()};
    CHECK(is_refused(second.edge->ask(*second.node, who, "get"), "match_voided"));
    CHECK(folded == 0);
  }
  probe_folds = {};
}

TEST_CASE("a commit that no store takes is refused alone and holds up nobody") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  std::vector<std::pair<std::uint64_t, bool>> asked;  // and whether it is the bad one
  for (int i = 0; i < 40; ++i) {
    const bool bad = i % 10 == 3;
    asked.emplace_back(node.edge->send(*node.node, table(), bad ? "twice" : "add"), bad);
  }
  for (const auto& [request, bad] : asked) {
    const auto answer = node.edge->wait(request);
    if (bad)
      CHECK(is_refused(answer, "invalid"));
    else
      CHECK(is_accepted(answer));
  }
  CHECK(node.stops == 0);
}

TEST_CASE("commits that meet a full gate wait, and spend nobody's budget") {
  const temporary_folder folder;
  probe_node node{folder.url(), 120'000, cluster::restart_backoff_first, 1};
  std::vector<std::uint64_t> sent;
  for (int i = 0; i < 60; ++i) sent.push_back(node.edge->send(*node.node, table(), "add"));
  for (const auto request : sent) REQUIRE(is_accepted(node.edge->wait(request)));
  const auto& counters = node.node->services()->counters;
  CHECK(counters.commits_refused > 0);
  CHECK(counters.crashes == 0);
}

TEST_CASE("a read that is asked anew is answered once, by the newer question") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto answer = node.edge->ask(*node.node, table(), "ask_twice");
  REQUIRE(std::holds_alternative<actors::table_view>(answer));
  CHECK(std::get<actors::table_view>(answer).body == "1");
  CHECK(std::get<actors::table_view>(answer).seq == 0);  // rows: the newer one asked for none
}

TEST_CASE("a node that stops waits for whoever is in the middle of a call") {
  const temporary_folder folder;
  const auto who = table();
  {
    probe_node first{folder.url()};
    REQUIRE(is_accepted(first.edge->ask(*first.node, who, "add")));
    first.edge->send(*first.node, who, "slow");
    REQUIRE(first.eventually([&] { return probes_busy == 1; }));
    CHECK(first.node->stop(std::chrono::seconds{10}));
    CHECK(first.stops == 0);
    const auto reader = first.store->open_reader();
    REQUIRE(reader);
    CHECK((*reader)->events(who, 0, 10)->size() == 2);
  }
  auto store = storage::open(folder.url());
  REQUIRE(store);
  CHECK_FALSE((*store)->join({.name = "next", .shards = 16})->predecessor_died);
}

TEST_CASE("a clock fires on a running node") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "wake 30")));
  CHECK(node.eventually([&] { return node.node->services()->counters.commits >= 2; }));
  CHECK(node.count(who) == 1);
}

TEST_CASE("a fenced node stops instead of answering") {
  const temporary_folder folder;
  probe_node node{folder.url()};
  const auto who = table();
  REQUIRE(is_accepted(node.edge->ask(*node.node, who, "add")));
  REQUIRE(node.store->fence(node.node->services()->grant.incarnation));
  node.edge->send(*node.node, who, "add");
  CHECK(node.eventually([&] { return node.stops >= 1; }));
}
