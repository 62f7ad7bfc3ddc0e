// The commit log of the process that writes the store: appends batches, merges them into the tables
// bit by bit, and lends what is not merged yet to the readers of this process.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/embedded/merge.hpp"
#include "storage/embedded/overlay.hpp"
#include "storage/embedded/sqlite.hpp"

namespace baraza::storage::embedded {

/// Bytes of log rows in memory and in the file before they are merged. Larger is faster (more rows
/// a page) and takes memory: about four times as much, twice, and as long to read at a start.
inline constexpr std::size_t merge_at_bytes_default = 16 * 1024 * 1024;

class commit_log {
 public:
  /// Reads what the last process left; it is merged first. Throws failure.
  commit_log(connection& db, std::size_t merge_at_bytes);

  // ---- the writer: holds the store's write lock

  [[nodiscard]] const overlay& unmerged() const { return overlay_; }
  /// Position of the next transfer.
  [[nodiscard]] std::uint64_t next_transfer() const { return next_transfer_; }
  /// Whether the table may hold this transfer. New ids are mostly above all that are there, and
  /// then nothing has to be read.
  [[nodiscard]] bool table_may_hold(const uuid& transfer) const { return transfer <= newest_id_; }

  enum class merging { yes, no };
  /// In the transaction under way: writes the rows, and a slice of what is to be merged.
  /// Throws failure.
  void append(std::vector<std::string> rows, std::uint64_t transfers, merging how);
  /// The transaction is committed: readers see it from here on.
  void committed();
  /// The transaction was not committed.
  void rolled_back();
  [[nodiscard]] bool is_merging() const { return merger_.has_value(); }
  /// Merging has failed for so long that merge_all() must come first.
  [[nodiscard]] bool is_full() const;
  /// In transactions of its own. Throws failure; then a part is merged and nothing is lost.
  void merge_all();
  /// Readers that still hold this object are refused from here on: the schema changes.
  void close();

  // ---- readers of this process

  /// Begins a transaction on a reader's connection that sees exactly what unmerged() and the tables
  /// say together; locks unmerged() as long as the answer lives. Throws failure.
  /// @param newest "SELECT max(position) FROM log" on that connection
  std::unique_lock<std::mutex> begin_reading(connection& db, std::optional<transaction>& into,
                                             statement& newest);

 private:
  void start_merge(bool again);
  void finish_merge();

  connection& db_;
  const std::size_t merge_at_bytes_;
  statement append_;
  std::optional<merger> merger_;  // of what is frozen
  std::vector<std::string> staged_;
  std::uint64_t staged_transfers_ = 0;
  std::uint64_t next_transfer_ = 1;
  uuid newest_id_;  // no transfer in the table has an id above it

  std::mutex mutex_;  // guards what follows against readers; only the writer changes it
  std::condition_variable published_changed_;
  overlay overlay_;
  std::uint64_t published_ = 0;  // position of the newest row in overlay_
  bool closed_ = false;
};

/// One moment of the store for a reader: a transaction, and the log at that moment.
class log_snapshot {
 public:
  /// @param live of the writing process, or nullptr: then `own` is brought up to date and used
  log_snapshot(connection& db, commit_log* live, overlay& own, statement& newest);
  /// Until release().
  [[nodiscard]] const overlay& log() const { return log_; }
  /// Commits go on from here; the transaction stays.
  void release() {
    if (lock_.owns_lock()) lock_.unlock();
  }

 private:
  std::optional<transaction> transaction_;
  std::unique_lock<std::mutex> lock_;
  const overlay& log_;
};

}  // namespace baraza::storage::embedded
