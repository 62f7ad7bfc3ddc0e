// What a failover may do to a store, and what of it must be found out (rule A8): on a real server.
#include <atomic>
#include <thread>

#include "storage/membership.hpp"
#include "tests/storage/membership_scene.hpp"

namespace baraza::tests {
namespace {

using storage::errc;
using namespace std::chrono_literals;

/// A member that has renewed its lease, and a way to change what the store remembers.
struct forgetful_store : membership_scene {
  std::uint64_t who = join("one").incarnation;
  forgetful_store() { REQUIRE(members->renew(who, 5000)); }
  void forget(const std::string& sql) const { server.sql(database, sql); }
  void require_found_out() {
    const auto renewed = members->renew(who, 5000);
    REQUIRE_FALSE(renewed);
    CHECK(renewed.why().code == errc::rolled_back);
    CHECK(renewed.why().message.find("back in time") != std::string::npos);
  }
};

/// As an operator who is tired of waiting.
void cancel_waits_for_standbys(postgres_server& server, std::atomic<bool>& is_over) {
  while (!is_over) {
    server.sql("postgres",
               "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'");
    std::this_thread::sleep_for(5ms);  // polls until the test says that it is over
  }
}

}  // namespace

TEST_CASE("a store that has forgotten a renewal, a view or a member is found out", "[postgres]") {
  forgetful_store s;
  SECTION("the renewal") {
    s.forget("update lease set renewed_at = renewed_at - 1");
    s.require_found_out();
  }
  SECTION("the view") {
    s.forget("update cluster_view set version = version - 1");
    s.require_found_out();
    CHECK(s.members->read(0).why().code == errc::rolled_back);
  }
  SECTION("the member") {
    s.forget("delete from node");
    s.require_found_out();
  }
}

TEST_CASE("a server whose clock is behind its predecessor's has forgotten nothing", "[postgres]") {
  forgetful_store s;
  s.forget("update lease set renewed_at = renewed_at + 3600000");  // stamped by the other clock
  for (int i = 0; i < 3; ++i) CHECK(s.members->renew(s.who, 5000));
  CHECK(s.open()->renew(s.who, 5000));
}

TEST_CASE("who is dead, and not forgotten, is told so", "[postgres]") {
  forgetful_store s;
  const auto two = s.join("two");
  s.declare(two.incarnation, s.who, two.incarnation);
  CHECK(s.members->renew(s.who, 5000).why().code == errc::fenced);
}

TEST_CASE("nobody joins a store that was found to have forgotten, until the loss is accepted",
          "[postgres]") {
  membership_scene s;
  REQUIRE(s.store->record_incident({uuid::v4(),
                                    7,
                                    {entity_kind::house, uuid{}},
                                    std::string{storage::incident_rolled_back},
                                    "batch 12 is gone"}));
  const auto refused = s.try_join("one");
  REQUIRE_FALSE(refused);
  CHECK(refused.why().code == errc::incompatible);
  CHECK(refused.why().message.find("batch 12 is gone") != std::string::npos);
  CHECK_FALSE(s.store->join({"alone", "local", "game", 2, membership_scene::shards}));
  const auto accepting = storage::postgres::open(s.server.url(s.database), {.allow_loss = true});
  REQUIRE(accepting);
  auto members = (*accepting)->open_membership();
  REQUIRE(members);
  CHECK((*members)->join({.name = "two", .address = "local", .shards = s.shards}));
  CHECK(s.try_join("three"));  // accepted for all, and on record
  CHECK(s.server.sql(s.database, "select what from incident") == "store_loss_accepted");
}

TEST_CASE("what no standby has is acknowledged to nobody, whoever cancels the wait", "[postgres]") {
  postgres_server server;  // of its own: its settings change
  postgres_world world{server};
  auto store = postgres_world::open(server.url(world.database), {.commit_deadline = 1s});
  auto writer = world.writer_of(*store);
  const auto player = uuid::v4();
  const auto first = world.grant(player, 0, 5, true);
  REQUIRE(writer->apply({world.next_id(), {&first}}).members.at(0).code == errc::none);
  server.sql("postgres", "alter system set synchronous_standby_names = 'ANY 1 (nobody)'");
  server.sql("postgres", "select pg_reload_conf()");
  REQUIRE(([&] {
    for (int i = 0; i < 1000; ++i) {
      if (server.sql("postgres", "show synchronous_standby_names") != "") return true;
      std::this_thread::sleep_for(5ms);  // polls: at most 5 s
    }
    return false;
  }()));
  std::atomic<bool> is_over = false;
  std::thread impatient{[&] { cancel_waits_for_standbys(server, is_over); }};
  const auto next = world.grant(player, 1, 7);
  const storage::batch batch{world.next_id(), {&next}};
  CHECK(writer->apply(batch).code == errc::unknown);
  for (int i = 0; i < 3; ++i) CHECK(writer->resolve(batch).code == errc::unknown);
  CHECK(world.events_of(next.entity) == 2);  // there, and gone with this machine
  is_over = true;
  impatient.join();
  server.sql("postgres", "alter system reset synchronous_standby_names");
  server.sql("postgres", "select pg_reload_conf()");
  storage::batch_result found{errc::unknown, {}, {}};
  for (int i = 0; i < 20 && found.code != errc::none; ++i) found = writer->resolve(batch);
  REQUIRE(found.code == errc::none);
  CHECK(found.members.at(0).code == errc::none);
  CHECK(world.balance_of(player) == 12);
}

}  // namespace baraza::tests
