// The store's promises in memory: the same checks in the same order, so that entities meet the same
// refusals.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/entity.hpp"

namespace baraza::test {

class model_store {
 public:
  struct account {
    storage::account_open what;
    std::int64_t balance = 0;
    std::uint64_t version = 0;
    bool closed = false;
  };

  model_store();
  storage::member_result apply(const entity_id& entity, std::uint64_t expected_seq,
                               const actors::change& what, millis now);
  [[nodiscard]] storage::activation read(const entity_id& entity, bool with_snapshot = true) const;
  [[nodiscard]] std::vector<storage::balance> balances(
      const std::vector<storage::account_id>& ids) const;
  [[nodiscard]] std::vector<storage::transfer> transfers_of(const storage::account_id& account,
                                                            const uuid& reference) const;
  [[nodiscard]] std::int64_t balance(const storage::account_id& id) const;
  [[nodiscard]] const account* find(const storage::account_id& id) const;
  /// Empty, or the first violation: sums, floors, closed accounts above zero, matches over with a
  /// wake row.
  [[nodiscard]] std::string violation() const;

  std::map<entity_id, std::vector<storage::journal_event>> journals;
  std::map<entity_id, std::pair<std::uint64_t, std::string>> snapshots;
  std::map<storage::account_id, account> accounts;
  std::map<uuid, storage::transfer> transfers;
  std::map<entity_id, millis> wakes;
};

}  // namespace baraza::test
