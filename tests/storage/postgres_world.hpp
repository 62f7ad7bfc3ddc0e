// A PostgreSQL store that serves, for the tests that need more than the conformance suite's fixture
// shows.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include "storage/postgres/postgres.hpp"
#include "tests/integration/postgres_server.hpp"
#include "tests/storage/fixture.hpp"

namespace baraza::tests {

/// A migrated and joined store in a database of its own, gone with the object.
class postgres_world {
 public:
  explicit postgres_world(postgres_server& on = postgres_server::shared(), std::string in = {})
      : server{on}, database{in.empty() ? on.create_database() : std::move(in)} {
    store = open(server.url(database));
    REQUIRE(store->migrate(storage::schema_newest));
    join();
  }
  ~postgres_world() {
    store.reset();
    server.drop_database(database);
  }
  postgres_world(const postgres_world&) = delete;
  postgres_world& operator=(const postgres_world&) = delete;

  static std::unique_ptr<storage::store> open(const std::string& url,
                                              const storage::postgres::timing& times = {}) {
    auto opened = storage::postgres::open(url, {}, times);
    REQUIRE(opened);
    return std::move(*opened);
  }
  void join() {
    auto joined = store->join(
        {.name = "one", .address = "local", .roles = "game", .writers = 2, .shards = 64});
    REQUIRE(joined);
    node = *joined;
  }
  std::unique_ptr<storage::writer> writer(std::uint16_t index = 0) {
    return writer_of(*store, index);
  }
  std::unique_ptr<storage::writer> writer_of(storage::store& from, std::uint16_t index = 0) {
    auto opened = from.open_writer(node, index);
    REQUIRE(opened);
    return std::move(*opened);
  }
  [[nodiscard]] storage::batch_id next_id(std::uint16_t index = 0) {
    return {node.incarnation, index, ++number_};
  }
  /// A grant from the bonus account to a new player, with one event; opens the player's account.
  [[nodiscard]] storage::commit grant(const uuid& player, std::uint64_t expected_seq,
                                      std::int64_t amount, bool opens = false) const {
    storage::commit c;
    c.entity = {entity_kind::wallet, player};
    c.shard = shard_of(c.entity, 64);
    c.epoch = node.epoch;
    c.expected_seq = expected_seq;
    c.events = {"granted"};
    const auto account = storage::player_account(player, storage::currency::demo);
    if (opens)
      c.opens = {{account, storage::account_kind::player, storage::currency::demo, player}};
    c.transfers = {{uuid::v7(wall_clock()), house(storage::account_kind::bonus), account, amount,
                    storage::currency::demo, storage::transfer_kind::grant, player}};
    return c;
  }
  /// How many events the entity's journal holds, read past the store.
  [[nodiscard]] int events_of(const entity_id& entity) const {
    return std::stoi(server.sql(
        database, "select count(*) from journal where entity = '" + entity.key.to_string() + "'"));
  }
  [[nodiscard]] std::int64_t balance_of(const uuid& player) const {
    return std::stoll(server.sql(
        database, "select balance from account where owner = '" + player.to_string() + "'"));
  }
  void require_clean() const {
    const auto report = store->verify();
    REQUIRE(report);
    CHECK(report->first_violation == "");
    CHECK(report->clean);
  }

  postgres_server& server;
  std::string database;
  std::unique_ptr<storage::store> store;
  storage::node_grant node;

 private:
  std::uint64_t number_ = 0;
};

}  // namespace baraza::tests
