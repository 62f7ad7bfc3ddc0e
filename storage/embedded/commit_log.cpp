#include "storage/embedded/commit_log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace baraza::storage::embedded {
namespace {

// Times merge_at_bytes. So much is there only when merging fails, on a full disk: beyond it a
// commit waits for a whole merge, and is refused when that fails too.
constexpr std::size_t log_growth_max = 8;
constexpr std::size_t slice_rows_min = 4;      // so that small commits merge too
constexpr std::size_t closing_slice = 20'000;  // rows in one transaction of merge_all()
// A commit that is durable is published at once; a reader that waits longer has met a bug.
constexpr auto publish_wait_max = std::chrono::seconds{30};

std::uint64_t number(connection& db, const char* sql) {
  statement read{db.handle(), sql};
  return read.run().step() ? read.number(0) : 0;
}

}  // namespace

commit_log::commit_log(connection& db, std::size_t merge_at_bytes)
    : db_{db},
      merge_at_bytes_{merge_at_bytes},
      append_{db.handle(), "INSERT INTO log(position,body) VALUES(?,?)"} {
  {
    transaction one_snapshot{db, access::read};
    published_ = std::max(catch_up(db, overlay_), number(db, "SELECT log_end FROM store"));
    next_transfer_ = number(db, "SELECT max(position) FROM transfer") + 1;
    statement newest{db.handle(), "SELECT max(id) FROM transfer"};
    if (newest.run().step() && !newest.is_null(0)) newest_id_ = newest.key(0);
  }
  for (const auto& t : overlay_.current().transfers())
    next_transfer_ = std::max(next_transfer_, t.position + 1);
  if (!overlay_.empty()) start_merge(true);
}

void commit_log::append(std::vector<std::string> rows, std::uint64_t transfers, merging how) {
  staged_ = std::move(rows);
  staged_transfers_ = transfers;
  std::size_t bytes = 0;
  auto position = published_;
  for (const auto& row : staged_) {
    append_.exec(++position, std::string_view{row});
    bytes += row.size();
  }
  if (!merger_ || how == merging::no || staged_.empty()) return;
  // Frozen rows are gone from the log by the time as many bytes again have come, and a fifth
  // sooner.
  const auto share = merger_->rows() * bytes / merge_at_bytes_;
  merger_->step(share + share / 4 + slice_rows_min);
}

bool commit_log::is_full() const {
  return overlay_.current().bytes() > log_growth_max * merge_at_bytes_;
}

void commit_log::committed() {
  if (staged_.empty()) return;
  {
    const std::lock_guard hold{mutex_};
    for (auto& row : staged_) overlay_.add(++published_, std::move(row));
  }
  published_changed_.notify_all();
  next_transfer_ += std::exchange(staged_transfers_, 0);
  staged_.clear();
  if (merger_) {
    merger_->keep();
    if (merger_->is_done()) finish_merge();
  }
  if (!merger_ && overlay_.current().bytes() >= merge_at_bytes_) start_merge(false);
}

void commit_log::rolled_back() {
  staged_.clear();
  staged_transfers_ = 0;
  if (merger_) merger_->roll_back();
}

void commit_log::start_merge(bool again) {
  {
    const std::lock_guard hold{mutex_};
    overlay_.freeze();
  }
  for (const auto& t : overlay_.frozen()->transfers()) newest_id_ = std::max(newest_id_, t.what.id);
  merger_.emplace(db_, *overlay_.frozen(), again);
}

void commit_log::finish_merge() {
  merger_.reset();
  std::unique_ptr<generation> replaced;  // freeing it takes a while: not under the lock
  {
    const std::lock_guard hold{mutex_};
    replaced = overlay_.drop_frozen();
  }
  overlay_.thin_merged();
}

void commit_log::merge_all() {
  rolled_back();
  while (!overlay_.empty()) {
    if (!merger_) start_merge(false);
    while (!merger_->is_done()) {
      transaction change{db_, access::write};
      try {
        merger_->step(closing_slice);
        change.commit();
      } catch (...) {
        merger_->roll_back();
        throw;
      }
      merger_->keep();
    }
    finish_merge();
  }
}

void commit_log::close() {
  {
    const std::lock_guard hold{mutex_};
    closed_ = true;
  }
  published_changed_.notify_all();
}

std::unique_lock<std::mutex> commit_log::begin_reading(connection& db,
                                                       std::optional<transaction>& into,
                                                       statement& newest) {
  std::unique_lock lock{mutex_};
  for (;;) {
    if (closed_) throw failure{errc::unavailable, "the store's schema has changed"};
    into.emplace(db, access::read);
    std::uint64_t seen = 0;
    {
      reading use{newest};
      if (newest.run().step()) seen = newest.number(0);
    }
    if (seen <= published_) return lock;
    // Between the commit of a batch and its publication: SQLite is a step ahead of us.
    into.reset();
    if (!published_changed_.wait_for(lock, publish_wait_max,
                                     [&] { return closed_ || published_ >= seen; }))
      throw failure{errc::unavailable, "embedded store: a commit was not published"};
  }
}

log_snapshot::log_snapshot(connection& db, commit_log* live, overlay& own, statement& newest)
    : log_{live != nullptr ? live->unmerged() : own} {
  if (live != nullptr) {
    lock_ = live->begin_reading(db, transaction_, newest);
    return;
  }
  transaction_.emplace(db, access::read);
  catch_up(db, own);
}

}  // namespace baraza::storage::embedded
