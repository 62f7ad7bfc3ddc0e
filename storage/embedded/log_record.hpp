// One row of the commit log: what the accepted members of a batch change in journal, transfers and
// accounts, packed. A batch is durable when its rows are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.hpp"

namespace baraza::storage::embedded {

/// An account's row. In the log it is the row after the batch, whole, so that applying it twice is
/// the same as once.
struct account_state {
  std::int64_t amount = 0;
  std::uint64_t version = 0;
  account_kind kind{};
  currency money{};
  uuid owner;
  bool closed = false;
};

/// What is the same for everything in a log row.
struct log_origin {
  batch_id batch;
  millis at = 0;
  std::uint64_t epoch = 0;
  std::uint64_t first_transfer = 0;  // position of the row's first transfer; the others follow it
};

/// Packs one row.
class log_packer {
 public:
  void begin(const log_origin& origin);
  void member(const commit& what, const std::vector<const transfer*>& moves);
  void account(const account_id& id, const account_state& state);
  [[nodiscard]] std::size_t bytes() const { return body_.size(); }
  [[nodiscard]] bool holds_something() const { return filled_; }
  std::string take();

 private:
  std::string body_;
  bool filled_ = false;
};

/// Who is told what a row holds, in the order of writing. Views point into the row.
class log_listener {
 public:
  virtual ~log_listener() = default;
  virtual void origin(const log_origin& of) = 0;
  virtual void event(const entity_id& entity, std::uint64_t seq, std::string_view payload) = 0;
  /// @param entity_seq seq of the first event of the commit that moved the money
  virtual void moved(const transfer& what, std::uint64_t position, std::uint64_t entity_seq) = 0;
  virtual void account(const account_id& id, const account_state& state) = 0;
};

/// Throws failure{corrupt} for bytes that log_packer did not write.
void unpack(std::string_view body, log_listener& to);

}  // namespace baraza::storage::embedded
