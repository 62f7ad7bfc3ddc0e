// The one statement of a batch (rule A2): its text, and a batch written into its binary parameters.
#pragma once

#include <string_view>
#include <vector>

#include "storage/postgres/arrays.hpp"
#include "storage/postgres/facts.hpp"
#include "storage/postgres/known_heads.hpp"
#include "storage/postgres/pq.hpp"

namespace baraza::storage::postgres {

/// Two texts of one statement: `plain` for batches of events and transfers alone, `full` with
/// opened accounts, snapshots and wake rows too. An unused part would cost every commit its set-up
/// in the server.
std::string_view commit_sql(bool full);

/// Which writer asks, and over which of its connections.
struct writer_key {
  std::uint64_t incarnation = 0;
  std::uint16_t index = 0;
  std::uint64_t generation = 0;
};

/// The parameters of one round of a batch. Buffers are kept from batch to batch.
class commit_parameters {
 public:
  commit_parameters();
  /// Writes the open members of `work`, everything in key order, deltas added up per account.
  /// @returns false if the members cannot be told apart in one statement (one closes an account
  /// another moves money on, sums
  ///          leave 64 bits): examine() must decide first
  /// @param examined examine() has accepted the open members one after the other
  bool build(const batch& work, const progress& so_far, const writer_key& writer,
             const known_heads& heads, bool examined);
  [[nodiscard]] bool is_full() const { return full_; }
  [[nodiscard]] const std::vector<std::string_view>& values() const { return values_; }

  struct outcome {
    bool fenced = false;
    bool applied = false;  // neither: there are culprits
  };
  /// Reads the server's answer; if applied, adds the balances of floor accounts to the members'
  /// results.
  outcome read(const reply& answer, progress& so_far) const;

 private:
  /// One account as one member changes it.
  struct touch {
    account_id account;
    std::uint32_t member = 0;
    std::int64_t delta = 0;
    currency money{};  // 0: a close alone says nothing of it
    bool closes = false;
    const account_open* open = nullptr;
  };
  struct line {  // one account of the statement: touches_[first, last)
    std::size_t first = 0, last = 0;
  };

  void add_journal(const batch& work, const progress& so_far, const known_heads& heads);
  void add_transfers(const batch& work, const progress& so_far);
  bool add_accounts(bool examined);
  void add_entities(const batch& work);
  void finish(const batch_id& id, const writer_key& writer);

  bool full_ = false;
  std::string fixed_;
  binary_array check_kind_, check_entity_, check_expected_;
  binary_array journal_kind_, journal_entity_, journal_seq_, journal_epoch_, journal_payload_,
      journal_debits_;
  binary_array transfer_id_, transfer_debit_, transfer_credit_, transfer_reference_,
      transfer_amount_, transfer_currency_, transfer_kind_;
  binary_array account_id_, account_delta_, account_currency_, account_closes_;
  binary_array open_id_, open_kind_, open_currency_, open_owner_, open_delta_, open_closed_;
  binary_array snapshot_kind_, snapshot_entity_, snapshot_seq_, snapshot_payload_;
  binary_array wake_kind_, wake_entity_, wake_shard_, wake_at_;
  binary_array clear_kind_, clear_entity_;
  std::vector<touch> touches_;
  std::vector<line> lines_, opened_lines_;
  std::vector<const transfer*> transfers_;
  std::vector<std::size_t> order_;
  std::vector<std::string_view> values_;
};

}  // namespace baraza::storage::postgres
