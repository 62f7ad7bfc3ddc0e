// A stretch of the commit log in memory: the fold of its rows, looked up by entity, account and
// transfer, until the merge has brought it into the tables.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/embedded/log_record.hpp"
#include "storage/store.hpp"

namespace baraza::storage::embedded {

class generation final : log_listener {
 public:
  /// An empty one with room for as much as `like` holds: growing by and by costs more than folding.
  static std::unique_ptr<generation> sized_like(const generation& like);

  static constexpr std::uint32_t none = UINT32_MAX;

  struct event_row {
    std::uint64_t seq;
    std::string_view payload;  // in one of the rows kept
    std::uint32_t origin;      // index of what it shares with its row
    std::uint32_t next;        // event of the same entity
  };
  struct chain {  // an entity's events, dense
    std::uint64_t first_seq, head;
    std::uint32_t first, last;
  };
  struct transfer_row {
    transfer what;
    std::uint64_t position, entity_seq;
    millis at;
    std::uint32_t older_of_debit, older_of_credit;  // the account's transfer before this one
  };
  struct account_row {
    account_state state;
    bool known = false;  // state is set; false when all its transfers cancelled each other
    std::uint32_t newest_transfer = none;
  };

  /// Folds the next row. Throws failure{corrupt}; then the object is of no use any more.
  void add(std::uint64_t log_position, std::string body);

  [[nodiscard]] bool empty() const { return rows_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t first_log() const { return first_log_; }
  [[nodiscard]] std::uint64_t last_log() const { return last_log_; }

  [[nodiscard]] const chain* find_chain(const entity_id& entity) const;
  [[nodiscard]] const account_row* find_account(const account_id& id) const;
  [[nodiscard]] const transfer_row* find_transfer(const uuid& id) const;
  [[nodiscard]] const event_row& event(std::uint32_t index) const { return events_[index]; }
  [[nodiscard]] const transfer_row& transfer_at(std::uint32_t i) const { return transfers_[i]; }
  [[nodiscard]] const log_origin& origin_of(const event_row& e) const { return origins_[e.origin]; }
  [[nodiscard]] const std::unordered_map<entity_id, chain>& entities() const { return entities_; }
  [[nodiscard]] const std::unordered_map<account_id, account_row>& accounts() const {
    return accounts_;
  }
  [[nodiscard]] const std::vector<transfer_row>& transfers() const { return transfers_; }
  /// What merging it takes: rows of journal, transfers and accounts.
  [[nodiscard]] std::size_t events_count() const { return events_.size(); }

  /// Gives the memory of events and rows back; accounts and heads stay, as a cache of the tables.
  void keep_heads_only();

 private:
  void origin(const log_origin& of) override;
  void event(const entity_id& entity, std::uint64_t seq, std::string_view payload) override;
  void moved(const transfer& what, std::uint64_t position, std::uint64_t entity_seq) override;
  void account(const account_id& id, const account_state& state) override;

  std::deque<std::string> bodies_;  // a deque, so that views stay valid
  std::vector<log_origin> origins_;
  std::vector<event_row> events_;
  std::vector<transfer_row> transfers_;
  std::unordered_map<entity_id, chain> entities_;
  std::unordered_map<account_id, account_row> accounts_;
  std::unordered_map<uuid, std::uint32_t> transfer_index_;
  std::uint64_t first_log_ = 0, last_log_ = 0, rows_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace baraza::storage::embedded
