// The part of the ledger that is durable in the commit log and not yet in the tables. Whoever reads
// journal, transfers or accounts asks here first; what is found here wins, because the merge writes
// rows whole and never changes what the log says of them.
//
//   rows of the log ──add──▶ current ──freeze──▶ frozen ──(merge, in slices)──▶ merged
//                            └────── wins over the tables ──────┘              a cache of them
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "storage/embedded/generation.hpp"

namespace baraza::storage::embedded {

class connection;

class overlay {
 public:
  void add(std::uint64_t log_position, std::string body) {
    current_->add(log_position, std::move(body));
  }
  /// Current becomes frozen, to be merged. Needs: nothing is frozen.
  void freeze();
  /// The tables hold all of frozen now. @returns what was merged before, for the caller to free
  std::unique_ptr<generation> drop_frozen();

  /// Gives most of its memory back. Readers never look there.
  void thin_merged() { merged_->keep_heads_only(); }

  [[nodiscard]] const generation& current() const { return *current_; }
  [[nodiscard]] const generation* frozen() const { return frozen_.get(); }
  [[nodiscard]] bool empty() const { return current_->empty() && !frozen_; }

  /// The newest state of an account, or nullptr: ask the tables.
  [[nodiscard]] const account_state* account(const account_id& id) const;
  [[nodiscard]] const generation::transfer_row* transfer(const uuid& id) const;
  /// The seqs of an entity that the log holds.
  struct range {
    std::uint64_t first, head;
  };
  [[nodiscard]] std::optional<range> seqs(const entity_id& entity) const;
  /// The batch that wrote an event, if the log holds it.
  [[nodiscard]] std::optional<batch_id> batch_of(const entity_id& entity, std::uint64_t seq) const;
  /// Appends the events with seq > after.
  void events(const entity_id& entity, std::uint64_t after, std::vector<journal_event>& to) const;
  /// Appends the transfers into and out of an account.
  void transfers_of(const account_id& account,
                    std::vector<const generation::transfer_row*>& to) const;

  /// Like account() and the head of seqs(), also from what was merged last: true as long as this
  /// process alone writes the tables.
  [[nodiscard]] const account_state* account_or_cached(const account_id& id) const;
  [[nodiscard]] std::optional<std::uint64_t> head_or_cached(const entity_id& entity) const;

 private:
  template <class Look>
  void each(Look&& look) const;  // oldest first

  std::unique_ptr<generation> current_ = std::make_unique<generation>();
  std::unique_ptr<generation> frozen_, merged_;
};

/// Reads the log rows of `db` behind what `into` holds, in the transaction under way. For who does
/// not write: starts anew when rows were merged away since the last call.
/// @returns the position of the newest row; 0 without any. Throws failure
std::uint64_t catch_up(connection& db, overlay& into);

}  // namespace baraza::storage::embedded
