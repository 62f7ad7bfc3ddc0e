// A store of members on a real PostgreSQL, for tests of who may change what.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include "storage/membership.hpp"
#include "tests/storage/postgres_world.hpp"

namespace baraza::tests {

/// A migrated store without members.
struct membership_scene {
  static constexpr std::uint32_t shards = 8;

  postgres_server& server = postgres_server::shared();
  std::string database = server.create_database();
  std::unique_ptr<storage::store> store = postgres_world::open(server.url(database));
  std::unique_ptr<storage::membership_store> members;

  membership_scene() {
    REQUIRE(store->migrate(storage::schema_newest));
    members = open();
  }
  ~membership_scene() {
    members.reset();
    store.reset();
    server.drop_database(database);
  }
  std::unique_ptr<storage::membership_store> open() {
    auto opened = store->open_membership();
    REQUIRE(opened);
    return std::move(*opened);
  }
  storage::result<storage::node_grant> try_join(const std::string& name,
                                                std::uint32_t count = shards) {
    return members->join({.name = name, .address = "local", .roles = "game", .shards = count});
  }
  storage::node_grant join(const std::string& name) {
    auto grant = try_join(name);
    REQUIRE(grant);
    REQUIRE(members->set_status(grant->incarnation, storage::member_status::up));
    return *grant;
  }
  storage::cluster_state state() {
    auto read = members->read(0);
    REQUIRE(read);
    return *read;
  }
  /// Everything free goes to `who`.
  void take_all(std::uint64_t who) {
    std::vector<storage::shard_change> free;
    for (const auto& row : state().shards)
      if (row.owner == 0) free.push_back({row.id, row.epoch});
    REQUIRE(members->take(who, free));
  }
  /// The dead node's rows, all to `heir`.
  std::vector<storage::shard_change> all_of(std::uint64_t dead, std::uint64_t heir) {
    std::vector<storage::shard_change> changes;
    for (const auto& row : state().shards)
      if (row.owner == dead) changes.push_back({row.id, row.epoch, heir});
    return changes;
  }
  void declare(std::uint64_t by, std::uint64_t dead, std::uint64_t heir) {
    const std::uint64_t who[] = {dead};
    const auto done = members->declare_dead(by, state().version, who, all_of(dead, heir));
    REQUIRE(done);
    REQUIRE(*done);
  }
  /// One event in a new wallet of `shard`.
  storage::commit commit_in(shard_id shard) {
    storage::commit c;
    do c.entity = {entity_kind::wallet, uuid::v4()};
    while (shard_of(c.entity, shards) != shard);
    c.shard = shard;
    c.epoch = state().shards.at(shard).epoch;
    c.events = {"something"};
    return c;
  }
  std::unique_ptr<storage::writer> writer(const storage::node_grant& node,
                                          std::uint16_t index = 0) {
    auto opened = store->open_writer(node, index);
    REQUIRE(opened);
    return std::move(*opened);
  }
};

}  // namespace baraza::tests
