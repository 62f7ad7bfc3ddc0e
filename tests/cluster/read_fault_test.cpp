// Reads that fail, journals that are long, snapshots that cannot be read: none of it is a reason to
// void, to quarantine, or to let anybody else wait.
#include <catch2/catch_test_macros.hpp>

#include "tests/cluster/probe_entity.hpp"

using namespace baraza;
using namespace baraza::testing;

namespace {

entity_id table() { return {entity_kind::table, uuid::v7(1'700'000'000'000)}; }

/// Some entities with `events` events each, whose node is gone.
std::vector<entity_id> written(const temporary_folder& folder, std::size_t count, int events,
                               const std::string& last = {}) {
  probe_node first{folder.url()};
  std::vector<entity_id> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(table());
    for (int n = 0; n < events; ++n)
      REQUIRE(is_accepted(first.edge->ask(*first.node, out.back(), "add")));
    if (!last.empty()) REQUIRE(is_accepted(first.edge->ask(*first.node, out.back(), last)));
  }
  return out;
}

}  // namespace

TEST_CASE("one unreadable journal keeps none of its batch from loading") {
  const temporary_folder folder;
  const auto all = written(folder, 40, 1);
  probe_node second{folder.url()};
  second.faults->make_unreadable(all[20]);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::uint64_t> sent;
  for (const auto& who : all) sent.push_back(second.edge->send(*second.node, who, "add"));
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != 20) REQUIRE(is_accepted(second.edge->wait(sent[i])));
  // One pause, after the batch failed: not one for each of its neighbours' further tries.
  CHECK(std::chrono::steady_clock::now() - begin < 3 * cluster::load_retry);
  CHECK(is_refused(second.edge->wait(sent[20], std::chrono::milliseconds{0}), "no_answer"));
  CHECK(second.node->services()->counters.crashes == 0);
}

TEST_CASE("a store that is away while an entity loads costs it neither budget nor request") {
  const temporary_folder folder;
  const auto who = written(folder, 1, 3).front();
  probe_node second{folder.url()};
  second.faults->activations_away = true;
  const auto sent = second.edge->send(*second.node, who, "add");
  REQUIRE(second.eventually([&] { return second.faults->refused >= 3; }));
  second.faults->activations_away = false;
  REQUIRE(is_accepted(second.edge->wait(sent)));
  CHECK(second.count(who) == 4);
  CHECK(second.node->services()->counters.crashes == 0);
  CHECK(second.node->services()->counters.quarantines == 0);
}

TEST_CASE("a void waits for a store that is away") {
  const temporary_folder folder;
  const auto who = written(folder, 1, 2, "poison").front();
  probe_node second{folder.url()};
  second.faults->events_away = true;
  second.edge->send(*second.node, who, "get");
  REQUIRE(second.eventually([&] { return second.faults->refused >= 2; }));
  const auto& counters = second.node->services()->counters;
  CHECK(counters.quarantines == 0);
  second.faults->events_away = false;
  REQUIRE(second.eventually([&] { return counters.voids == 1; }));
  CHECK(counters.quarantines == 0);
}

TEST_CASE("a void reads a journal of several pages to its end") {
  const temporary_folder folder;
  const auto who = written(folder, 1, 6, "poison").front();
  probe_node second{folder.url()};
  second.faults->events_page_max = 2;
  CHECK(is_refused(second.edge->ask(*second.node, who, "get"), "match_voided"));
  CHECK(second.faults->event_pages >= 4);
  CHECK(second.node->services()->counters.voids == 1);
}

TEST_CASE("a snapshot that cannot be read costs time, not the match") {
  const temporary_folder folder;
  const auto who = written(folder, 1, 5, "snap").front();
  probe_node second{folder.url()};
  second.faults->events_page_max = 2;
  CHECK(second.count(who) == 5);
  CHECK(second.faults->event_pages >= 3);
  CHECK(second.node->services()->counters.voids == 0);
  REQUIRE(is_accepted(second.edge->ask(*second.node, who, "add")));  // at the journal's very end
}

TEST_CASE("a store that goes away between snapshot and journal costs nothing either") {
  const temporary_folder folder;
  const auto who = written(folder, 1, 5, "snap").front();
  probe_node second{folder.url()};
  second.faults->events_away = true;
  const auto sent = second.edge->send(*second.node, who, "add");
  REQUIRE(second.eventually([&] { return second.faults->refused >= 2; }));
  second.faults->events_away = false;
  REQUIRE(is_accepted(second.edge->wait(sent)));
  CHECK(second.count(who) == 6);
  CHECK(second.node->services()->counters.crashes == 0);
}

TEST_CASE("every wake-up is found, however many there are") {
  constexpr std::size_t many = cluster::wake_scan_rows_max + 500;
  const temporary_folder folder;
  {
    auto store = storage::open(folder.url());
    REQUIRE(store);
    REQUIRE(cluster::prepare(**store));
    auto grant = (*store)->join({.name = "one", .writers = 1, .shards = 16});
    REQUIRE(grant);
    auto writer = (*store)->open_writer(*grant, 0);
    REQUIRE(writer);
    std::vector<storage::commit> all(many);
    storage::batch batch{{grant->incarnation, 0, 0}, {}};
    for (auto& work : all) {
      work.entity = table();
      work.shard = shard_of(work.entity, 16);
      work.epoch = grant->epoch;
      work.events = {"add"};  // a running match: its row stays as it is while it is awake
      work.wake = storage::commit::wake_change::set;
      work.wake_at = 1;  // all at once: the rows differ by their entity alone
      batch.members.push_back(&work);
      if (batch.members.size() < cluster::batch_members_max && &work != &all.back()) continue;
      ++batch.id.number;
      REQUIRE((*writer)->apply(batch).code == storage::errc::none);
      batch.members.clear();
    }
    REQUIRE((*store)->fence(grant->incarnation));
  }
  probe_node second{folder.url()};
  const auto& counters = second.node->services()->counters;
  REQUIRE(second.eventually([&] { return counters.activations >= cluster::wake_scan_rows_max; }));
  CHECK(second.eventually([&] { return counters.activations == many; }));
}
