// The store of a simulated cluster: ledger and journals (tests/actors/model_store.hpp) behind fence
// rows with generations, leases, votes and shard rows, as storage/store.hpp and
// storage/membership.hpp promise them. It refuses what a real one refuses, and notes the first
// thing that must never come.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "storage/membership.hpp"
#include "tests/actors/model_store.hpp"
#include "tests/sim/options.hpp"

namespace baraza::sim {

/// One commit as a writer sends it.
struct sent_commit {
  storage::batch_id id;
  std::uint64_t generation = 0;  // of the fence row, as the writer last read it
  entity_id entity;
  shard_id shard = 0;
  std::uint64_t epoch = 0, expected_seq = 0;
  actors::change what;
};

class sim_store {
 public:
  sim_store(std::uint32_t shards, bug with);

  // ---- membership; `now` is the store's clock
  /// @param level of its binary. Refused, 0: it is below the cluster's
  std::uint64_t join(const std::string& name, std::uint32_t weight, std::uint16_t level,
                     millis now);
  std::optional<storage::renewal> renew(std::uint64_t who, millis now);  // nothing: fenced
  [[nodiscard]] storage::cluster_state read(millis now) const;
  void become_up(std::uint64_t who, millis now);
  void set_draining(std::uint64_t who, bool is);
  void accuse(std::uint64_t accuser, std::uint64_t accused, storage::vote_kind kind, millis now);
  void withdraw(std::uint64_t accuser, std::uint64_t accused) { votes_.erase({accuser, accused}); }
  bool declare_dead(std::uint64_t declarer, std::uint64_t version,
                    const std::vector<std::uint64_t>& dead,
                    const std::vector<storage::shard_change>& changes, millis now);
  storage::shard_row take(std::uint64_t who, shard_id shard, std::uint64_t epoch, millis now);
  storage::shard_row release(std::uint64_t who, const storage::shard_change& what, millis now);
  /// @returns whether it is gone; one that owns a shard may not leave
  bool leave(std::uint64_t who);
  std::uint64_t coordinate(std::uint64_t who, millis now);
  void raise_level(std::uint64_t who, std::uint64_t coordinator_epoch, std::uint16_t level);
  [[nodiscard]] std::uint16_t level() const { return level_; }

  // ---- writers
  /// `unknown` with detail "generation": its fence row has another one; resolve() tells more.
  storage::member_result commit(const sent_commit& what, millis now);
  struct resolved {
    bool fenced = false;
    std::uint64_t generation = 0;
    std::optional<storage::member_result> applied;  // nothing: it is not there and never will be
  };
  resolved resolve(std::uint64_t who, const storage::batch_id& id);
  [[nodiscard]] std::vector<std::pair<entity_id, millis>> wakes(shard_id shard) const;

  [[nodiscard]] bool is_member(std::uint64_t who) const { return members_.contains(who); }
  [[nodiscard]] const std::map<std::uint64_t, storage::member>& members() const { return members_; }
  [[nodiscard]] const std::vector<storage::shard_row>& rows() const { return rows_; }
  /// The writer told its entity: refused. It must never land.
  void told_refused(const storage::batch_id& id);

  void fail(const std::string& why) {
    if (violation.empty()) violation = why;
  }

  test::model_store ledger;
  std::string violation;
  std::size_t commits = 0, deaths = 0, takes = 0, left = 0;

 private:
  void check_landed(const sent_commit& what);
  void reopen_for(const sent_commit& what, std::set<storage::account_id>& reopened);

  bug bug_;
  std::uint64_t next_id_ = 1, version_ = 1;
  struct fence {
    bool open = true;
    std::uint64_t generation = 1;
  };
  std::map<std::uint64_t, fence> fences_;
  std::map<std::uint64_t, storage::member> members_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, storage::vote> votes_;
  std::vector<storage::shard_row> rows_;
  std::uint16_t level_ = 1;
  std::uint64_t coordinator_ = 0, coordinator_epoch_ = 0;
  millis coordinator_until_ = 0;
  std::map<storage::batch_id, storage::member_result> landed_;
  std::set<storage::batch_id> told_refused_;
  std::map<std::pair<entity_id, std::uint64_t>, std::uint64_t> writers_;
  std::set<std::tuple<entity_id, std::uint8_t, std::uint64_t>> commands_;  // accepted, by table
  std::set<entity_id> over_;                                               // matches that ended
};

}  // namespace baraza::sim
