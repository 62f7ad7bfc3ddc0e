// Brings a frozen stretch of the log into the tables, each table in the order of its keys: many
// rows a page, a hot account once. It goes in slices, so that no commit waits for a whole one.
#pragma once

#include <optional>
#include <vector>

#include "storage/embedded/generation.hpp"
#include "storage/embedded/sqlite.hpp"

namespace baraza::storage::embedded {

/// The account whose owner sees this transfer in his history, or nullptr.
const account_id* seen_by(const transfer& t);

/// journal ─▶ transfers ─▶ history ─▶ accounts ─▶ log rows deleted ─▶ done
///
/// A crash between two slices leaves a part of the rows in the tables and all of them in the log.
/// The log wins while it is there, and merging the same rows again changes nothing.
class merger {
 public:
  /// @param again rows may be in the tables already: the process before this one died over them
  merger(connection& db, const generation& from, bool again);

  /// Writes the next rows, about `rows_max`, in the caller's transaction. Throws failure; then and
  /// whenever the transaction is not committed, roll_back() must follow, else keep().
  void step(std::size_t rows_max);
  void keep() { kept_ = at_; }
  void roll_back() { at_ = kept_; }
  [[nodiscard]] bool is_done() const { return kept_.phase == phase::done; }
  [[nodiscard]] std::size_t rows() const { return rows_; }

 private:
  enum class phase : std::uint8_t { journal, transfers, history, accounts, log, done };
  struct place {
    enum phase phase = phase::journal;
    std::size_t index = 0;
    std::uint32_t event = generation::none;  // of the entity at index: where to go on
  };

  [[nodiscard]] std::size_t size_of(phase p) const;
  std::size_t write_one();  // @returns the rows written
  std::size_t write_events();
  void write_transfer();
  void write_history();
  void write_account();
  void sort_for(phase p);

  using entity_entry = std::pair<const entity_id, generation::chain>;
  using account_entry = std::pair<const account_id, generation::account_row>;
  struct history_entry {
    account_id account;
    std::uint32_t transfer;
  };

  const generation& from_;
  statement journal_, transfer_, history_, account_, trim_, log_end_;
  /// Beside each row the beginning of its key: most comparisons end there and follow no pointer.
  template <class Row>
  struct sorted {
    std::uint64_t prefix;
    const Row* row;
  };
  std::vector<sorted<entity_entry>> entities_;
  std::vector<sorted<account_entry>> accounts_;
  std::vector<history_entry> history_rows_;
  std::size_t rows_ = 0;
  place at_, kept_;
};

}  // namespace baraza::storage::embedded
