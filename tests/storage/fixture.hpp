// The conformance suite runs every case on every registered store. A store takes part by one file
// that registers a fixture.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "storage/identity.hpp"
#include "storage/store.hpp"

namespace baraza::tests {

/// What the stores do not have in common; the suite says so rather than skip silently.
struct capabilities {
  bool cross_connection_fence = true;  // fence() from another process stops a writer (rule A10)
  bool checks_epoch = true;            // a commit under another shard epoch is answered stale_epoch
  bool several_opens = true;           // the URL may be open for writing twice at once
};

/// One store with nothing in it, not even a schema; gone with the object.
class store_fixture {
 public:
  virtual ~store_fixture() = default;
  [[nodiscard]] virtual std::string url() const = 0;
  [[nodiscard]] virtual capabilities can() const = 0;
  [[nodiscard]] virtual storage::open_options options() const { return {}; }
};

struct fixture_kind {
  std::string name;
  std::function<std::unique_ptr<store_fixture>()> make;
};

/// BARAZA_TEST_STORE=NAME in the environment picks one of them.
std::vector<fixture_kind> fixture_kinds();

/// `static const register_fixture embedded{"embedded", make};` at namespace scope.
struct register_fixture {
  register_fixture(std::string name, std::function<std::unique_ptr<store_fixture>()> make);
};

/// A store that serves: migrated and joined, with one writer and one reader.
class world {
 public:
  explicit world(const fixture_kind& kind, std::uint16_t writers = 2);

  std::unique_ptr<store_fixture> fixture;
  std::unique_ptr<storage::store> store;
  storage::node_grant node;
  std::unique_ptr<storage::writer> writer;
  std::unique_ptr<storage::reader> reader;

  /// Closes everything and opens it again as a new incarnation.
  void restart();

  /// A commit with `events` events, at the world's epoch and shard.
  [[nodiscard]] storage::commit commit_of(const entity_id& entity, std::uint64_t expected_seq,
                                          std::size_t events = 1) const;
  storage::batch_result apply(std::initializer_list<const storage::commit*> members);
  storage::batch_result apply(const std::vector<const storage::commit*>& members);
  /// Applies one commit and answers its member's result; a failed batch ends the test.
  storage::member_result apply_one(const storage::commit& member);
  storage::batch_id next_id();

  /// Minor units; ends the test if the account is unknown.
  [[nodiscard]] storage::balance balance_of(const storage::account_id& account) const;
  [[nodiscard]] bool has_account(const storage::account_id& account) const;
  [[nodiscard]] std::uint64_t head_of(const entity_id& entity) const;
  [[nodiscard]] bool has_transfer(const uuid& id) const;
  void require_clean_ledger() const;

 private:
  void open();
  std::uint16_t writers_;
  std::uint64_t batches_ = 0;
};

/// A player with a wallet account, funded from the bonus account.
struct wallet {
  uuid player;
  entity_id entity;
  storage::account_id account;
  std::uint64_t seq = 0;
};
wallet new_wallet(world& w, std::int64_t funds, storage::currency money = storage::currency::demo,
                  const uuid& player = uuid::v4());

/// A match with its escrow account open.
struct match {
  uuid id;
  entity_id entity;
  storage::account_id escrow;
  std::uint64_t seq = 0;
};
match new_match(world& w, storage::currency money = storage::currency::demo);

storage::transfer buy_in(const wallet& from, const match& to, std::int64_t amount);
storage::transfer payout(const match& from, const wallet& to, std::int64_t amount);
storage::account_id house(storage::account_kind kind,
                          storage::currency money = storage::currency::demo);

/// Two answers about one entity.
bool is_same(const storage::activation& a, const storage::activation& b);

millis wall_clock();

/// BARAZA_TEST_SEED from the environment, else random.
std::uint64_t test_seed();

}  // namespace baraza::tests

/// Runs the rest of the test case once for every store.
#define EACH_STORE(kind)                                                       \
  const baraza::tests::fixture_kind kind =                                     \
      GENERATE(Catch::Generators::from_range(baraza::tests::fixture_kinds())); \
  CAPTURE(kind.name)
