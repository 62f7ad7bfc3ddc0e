// How a batch becomes one transaction: each member is checked whole against log and tables, then
// packed whole into the log; accounts once, at the end.
#pragma once

#include <unordered_map>
#include <vector>

#include "storage/embedded/commit_log.hpp"
#include "storage/embedded/log_record.hpp"
#include "storage/embedded/sqlite.hpp"
#include "storage/store.hpp"

namespace baraza::storage::embedded {

__extension__ using wide = __int128;  // sums of 64-bit amounts cannot overflow it

/// Keeps the prepared statements of the writing connection. One thread at a time; the caller holds
/// the write lock.
class applier {
 public:
  applier(connection& db, commit_log& log);
  batch_result apply(const batch& work, millis now);
  batch_result resolve(const batch& work);

 private:
  /// An account as this batch sees it: the row, what accepted members changed, and what the member
  /// under check would change.
  struct account_row : account_state {
    bool exists = false;
    bool changed = false;  // by an accepted member
    wide pending = 0;      // of the member under check
    bool touched = false;  // by the member under check
  };
  using account_entry =
      std::pair<const account_id, account_row>;  // its address is stable in the map

  /// What the member under check would do, and what must be undone if it may not.
  struct plan {
    std::vector<account_entry*> touched, opened, closed;
    std::vector<const transfer*> moves;
    std::int64_t existing = 0;
    bool applied_before = false;  // by this very batch
  };

  member_result take(const commit& member, const batch_id& id, millis now);
  errc check(const commit& member, const batch_id& id, plan& p, std::string& detail);
  errc check_sequence(const commit& member, const batch_id& id, plan& p, std::string& detail);
  errc check_opens(const commit& member, plan& p, std::string& detail);
  errc check_transfer(const transfer& t, plan& p, std::string& detail);
  errc check_results(const commit& member, plan& p, std::string& detail);
  void accept(const commit& member, const plan& p, const batch_id& id, millis now);
  static void undo(const plan& p);
  void pack_accounts();
  void begin_row(const batch_id& id, millis now);
  void note_touched(const plan& p);
  void note_all_accounts(const commit& member);
  account_entry& find(const account_id& id);
  static void touch(account_entry& entry, plan& p);
  [[nodiscard]] const transfer* find_transfer(const uuid& id);
  std::uint64_t find_head(const entity_id& entity);
  batch_id batch_of(const entity_id& entity, std::uint64_t seq);
  batch_result run(const batch& work, millis now, commit_log::merging how);
  batch_result find_applied(const batch& work);
  void fill_balances(batch_result& result) const;

  connection& db_;
  commit_log& log_;
  statement fence_, resolve_fence_, head_, batch_of_, epoch_, account_, transfer_;
  statement snapshot_put_, wake_put_, wake_clear_;
  log_packer packer_;
  std::vector<std::string> rows_;  // of the log, full ones of the batch in hand
  std::uint64_t moved_ = 0;        // transfers packed so far
  transfer found_;                 // by find_transfer in the table
  std::unordered_map<account_id, account_row> accounts_;      // of the batch in hand
  std::vector<std::vector<account_entry*>> member_accounts_;  // floor accounts each member touched
  std::uint64_t store_epoch_ = 0;
  std::uint64_t shards_ = 0;
};

}  // namespace baraza::storage::embedded
