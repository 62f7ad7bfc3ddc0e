// What the store, its writers, readers and identity share: the file, the lock on it, the one
// writing connection.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "storage/embedded/apply.hpp"
#include "storage/embedded/commit_log.hpp"
#include "storage/embedded/sqlite.hpp"
#include "storage/store.hpp"

namespace baraza::storage::embedded {

/// An advisory lock on `<file>.lock` for the life of the object; the operating system drops it with
/// the process.
class file_lock {
 public:
  /// Throws failure{unavailable} that names the process holding it.
  explicit file_lock(const std::string& path);
  ~file_lock();
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

 private:
  int fd_ = -1;
};

/// SQLite has one writer at a time, so there is one writing connection, and `write` guards it and
/// what hangs on it.
struct shared {
  std::string file;
  bool read_only = false;
  std::unique_ptr<file_lock> lock;  // null when read_only
  std::mutex write;
  std::optional<connection> db;  // null when read_only
  std::size_t merge_at_bytes = merge_at_bytes_default;
  // Read by the first writer or reader; both are dropped when the schema changes.
  std::shared_ptr<commit_log> log;  // null when read_only
  std::unique_ptr<applier> ledger;

  /// Merges what is in the log, so that a store that was closed in order is its tables alone.
  ~shared();
  /// Opens the log if it is not open yet; the caller holds `write`. Throws failure.
  commit_log& open_log();

  /// The store's clock: the system's, but never back while this process lives.
  millis now();

 private:
  std::atomic<millis> newest_{0};
};

/// What the store says of its schema. On a file without tables: all zero but `newest`. Reads only.
migration_state read_schema(connection& db);
/// Up or down to `target`, each step one transaction. Throws failure{invalid} for a target this
/// binary does not know.
void change_schema(connection& db, int target);
/// Throws failure{incompatible} with what to run, unless this binary lies between the store's
/// levels (rule A9).
void require_schema(connection& db);

std::unique_ptr<reader> make_reader(std::shared_ptr<shared> common);  // throws failure
std::unique_ptr<identity_store> make_identity(std::shared_ptr<shared> common);
verify_report verify_ledger(connection& db);  // throws failure

}  // namespace baraza::storage::embedded
