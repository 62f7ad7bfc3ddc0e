#include "storage/embedded/generation.hpp"

#include <utility>

#include "storage/embedded/sqlite.hpp"

namespace baraza::storage::embedded {

std::unique_ptr<generation> generation::sized_like(const generation& like) {
  auto made = std::make_unique<generation>();
  made->origins_.reserve(like.origins_.size());
  made->events_.reserve(like.events_.size());
  made->transfers_.reserve(like.transfers_.size());
  made->entities_.reserve(like.entities_.size());
  made->accounts_.reserve(like.accounts_.size());
  made->transfer_index_.reserve(like.transfer_index_.size());
  return made;
}

void generation::add(std::uint64_t log_position, std::string body) {
  if (rows_++ == 0) first_log_ = log_position;
  last_log_ = log_position;
  bytes_ += body.size();
  unpack(bodies_.emplace_back(std::move(body)), *this);
}

void generation::origin(const log_origin& of) { origins_.push_back(of); }

void generation::event(const entity_id& entity, std::uint64_t seq, std::string_view payload) {
  const auto index = static_cast<std::uint32_t>(events_.size());
  events_.push_back({seq, payload, static_cast<std::uint32_t>(origins_.size() - 1), none});
  auto [at, fresh] = entities_.try_emplace(entity, chain{seq, seq, index, index});
  if (fresh) return;
  auto& known = at->second;
  if (seq != known.head + 1)
    throw failure{errc::corrupt, "embedded store: the log of " + entity.to_string() +
                                     " jumps from seq " + std::to_string(known.head) + " to " +
                                     std::to_string(seq)};
  events_[known.last].next = index;
  known.last = index;
  known.head = seq;
}

void generation::moved(const transfer& what, std::uint64_t position, std::uint64_t entity_seq) {
  const auto index = static_cast<std::uint32_t>(transfers_.size());
  if (!transfer_index_.try_emplace(what.id, index).second)
    throw failure{errc::corrupt,
                  "embedded store: the log holds transfer " + what.id.to_string() + " twice"};
  const auto link = [&](const account_id& id) {
    return std::exchange(accounts_[id].newest_transfer, index);
  };
  const auto of_debit = link(what.debit), of_credit = link(what.credit);
  transfers_.push_back({what, position, entity_seq, origins_.back().at, of_debit, of_credit});
}

void generation::account(const account_id& id, const account_state& state) {
  auto& row = accounts_[id];
  row.state = state;
  row.known = true;
}

const generation::chain* generation::find_chain(const entity_id& entity) const {
  const auto at = entities_.find(entity);
  return at == entities_.end() ? nullptr : &at->second;
}

const generation::account_row* generation::find_account(const account_id& id) const {
  const auto at = accounts_.find(id);
  return at == accounts_.end() ? nullptr : &at->second;
}

const generation::transfer_row* generation::find_transfer(const uuid& id) const {
  const auto at = transfer_index_.find(id);
  return at == transfer_index_.end() ? nullptr : &transfers_[at->second];
}

void generation::keep_heads_only() {
  bodies_ = {};
  origins_ = {};
  events_ = {};
  transfers_ = {};
  transfer_index_ = {};
}

}  // namespace baraza::storage::embedded
