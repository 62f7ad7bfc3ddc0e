// What the store says about the things a batch names, and which of its members may then be applied:
// the slow, exact half of a commit, used once the fast statement has found a culprit.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

struct account_fact {
  std::int64_t amount = 0;
  std::uint64_t version = 0;
  account_kind kind{};
  currency money{};
  uuid owner;
  bool closed = false;
};

struct head_fact {
  std::uint64_t head = 0;            // 0: the journal is empty
  std::optional<batch_id> next_row;  // who wrote expected_seq + 1, if it is there
};

struct facts {
  std::unordered_map<account_id, account_fact> accounts;
  std::unordered_map<uuid, transfer> transfers;
  std::unordered_map<entity_id, head_fact> heads;
  std::unordered_map<shard_id, std::uint64_t> epochs;  // of the shards this incarnation owns
};

/// Of one batch, filled while it is worked off.
struct progress {
  std::vector<member_result> results;     // one per member
  std::vector<std::size_t> open_members;  // indexes not yet decided, ascending
  std::vector<std::size_t> reread;  // decided members whose balances must be read after the commit
  std::unordered_set<uuid> transfers_there;       // exist with equal content: move no money again
  std::unordered_set<account_id> accounts_there;  // exist equally: need no opening
  std::unordered_set<account_id> closed_there;    // are closed already: need no closing

  [[nodiscard]] std::size_t repeats() const {
    return transfers_there.size() + accounts_there.size() + closed_there.size();
  }
};

/// Decides the open members one after the other against `known`, each seeing the ones accepted
/// before it. Refused members and those this very batch has applied leave `open_members`; repeats
/// are noted in the `…_there` sets.
/// @returns how many decisions it made; 0 means the store agrees with the whole rest
std::size_t examine(const batch& work, const facts& known, progress& so_far);

}  // namespace baraza::storage::postgres
