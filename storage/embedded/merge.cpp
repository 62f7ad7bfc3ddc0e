#include "storage/embedded/merge.hpp"

#include <algorithm>
#include <cstring>

namespace baraza::storage::embedded {
namespace {

constexpr std::size_t events_slice_max = 64;  // of one entity before the slice is looked at again

bool before(const uuid& a, const uuid& b) {
  return std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) < 0;
}

/// Sorts as the first eight of these bytes do.
std::uint64_t prefix(const std::uint8_t* bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

/// Of an entity's key column: the kind, then the key.
std::uint64_t prefix(const entity_id& id) {
  return static_cast<std::uint64_t>(id.kind) << 56 | prefix(id.key.bytes.data()) >> 8;
}

std::string insert(bool again, std::string_view rest) {
  return (again ? "INSERT OR IGNORE INTO " : "INSERT INTO ") + std::string{rest};
}

}  // namespace

const account_id* seen_by(const transfer& t) {
  if (credits_player(t.kind)) return &t.credit;
  const bool went_out = t.kind == transfer_kind::buy_in || t.kind == transfer_kind::withdrawal;
  return went_out ? &t.debit : nullptr;
}

merger::merger(connection& db, const generation& from, bool again)
    : from_{from},
      journal_{db.handle(), insert(again,
                                   "journal(entity,seq,at,epoch,incarnation,writer,number,payload)"
                                   " VALUES(?,?,?,?,?,?,?,?)")},
      transfer_{db.handle(),
                insert(again,
                       "transfer(position,id,debit,credit,amount,currency,kind,at,entity_seq,"
                       "reference) VALUES(?,?,?,?,?,?,?,?,?,?)")},
      history_{db.handle(), insert(again, "history(account,id,position) VALUES(?,?,?)")},
      account_{db.handle(),
               "INSERT OR REPLACE INTO account(id,balance,version,kind,currency,closed,owner)"
               " VALUES(?,?,?,?,?,?,?)"},
      trim_{db.handle(), "DELETE FROM log WHERE position<=?"},
      log_end_{db.handle(), "UPDATE store SET log_end=?"} {
  std::size_t known = 0, seen = 0;
  for (const auto& [id, row] : from.accounts()) known += row.known;
  for (const auto& t : from.transfers()) seen += seen_by(t.what) != nullptr;
  rows_ = from.events_count() + from.transfers().size() + seen + known;
  sort_for(phase::journal);
}

std::size_t merger::size_of(phase p) const {
  switch (p) {
    case phase::journal:
      return entities_.size();
    case phase::transfers:
      return from_.transfers().size();
    case phase::history:
      return history_rows_.size();
    case phase::accounts:
      return accounts_.size();
    case phase::log:
      return 1;
    case phase::done:
      return 0;
  }
  return 0;
}

/// Each order is made when its phase begins: one sort in a slice, and not four.
void merger::sort_for(phase p) {
  if (p == phase::journal && entities_.empty()) {
    for (const auto& entry : from_.entities()) entities_.push_back({prefix(entry.first), &entry});
    // Within a prefix the kinds are the same.
    std::ranges::sort(entities_, [](const auto& a, const auto& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix
                                  : before(a.row->first.key, b.row->first.key);
    });
  }
  if (p == phase::history && history_rows_.empty()) {
    for (std::uint32_t i = 0; i < from_.transfers().size(); ++i)
      if (const auto* account = seen_by(from_.transfer_at(i).what))
        history_rows_.push_back({*account, i});
    std::ranges::sort(history_rows_, [this](const history_entry& a, const history_entry& b) {
      if (a.account != b.account) return before(a.account, b.account);
      return before(from_.transfer_at(a.transfer).what.id, from_.transfer_at(b.transfer).what.id);
    });
  }
  if (p == phase::accounts && accounts_.empty()) {
    for (const auto& entry : from_.accounts())
      if (entry.second.known) accounts_.push_back({prefix(entry.first.bytes.data()), &entry});
    std::ranges::sort(accounts_, [](const auto& a, const auto& b) {
      return a.prefix != b.prefix ? a.prefix < b.prefix : before(a.row->first, b.row->first);
    });
  }
}

void merger::step(std::size_t rows_max) {
  for (std::size_t rows = 0; rows < rows_max && at_.phase != phase::done;) {
    if (at_.index < size_of(at_.phase)) {
      rows += write_one();
      continue;
    }
    at_ = {static_cast<phase>(static_cast<int>(at_.phase) + 1), 0, generation::none};
    sort_for(at_.phase);
  }
}

std::size_t merger::write_one() {
  switch (at_.phase) {
    case phase::journal:
      return write_events();
    case phase::transfers:
      write_transfer();
      break;
    case phase::history:
      write_history();
      break;
    case phase::accounts:
      write_account();
      break;
    case phase::log:
      trim_.exec(from_.last_log());
      log_end_.exec(from_.last_log());
      break;
    case phase::done:
      return 1;
  }
  ++at_.index;
  return 1;
}

std::size_t merger::write_events() {
  const auto& [id, chain] = *entities_[at_.index].row;
  const entity_key entity{id};
  if (at_.event == generation::none) at_.event = chain.first;
  std::size_t rows = 0;
  for (; rows < events_slice_max && at_.event != generation::none; ++rows) {
    const auto& e = from_.event(at_.event);
    const auto& of = from_.origin_of(e);
    journal_.exec(std::string_view{entity}, e.seq, of.at, of.epoch, of.batch.incarnation,
                  std::uint32_t{of.batch.writer}, of.batch.number, e.payload);
    at_.event = e.next;
  }
  if (at_.event == generation::none) ++at_.index;
  return rows;
}

void merger::write_transfer() {
  const auto& row = from_.transfer_at(static_cast<std::uint32_t>(at_.index));
  const auto& t = row.what;
  transfer_.exec(row.position, t.id, t.debit, t.credit, t.amount, static_cast<int>(t.money),
                 static_cast<int>(t.kind), row.at, row.entity_seq, t.reference);
}

void merger::write_history() {
  const auto& [account, index] = history_rows_[at_.index];
  const auto& row = from_.transfer_at(index);
  history_.exec(account, row.what.id, row.position);
}

void merger::write_account() {
  const auto& [id, row] = *accounts_[at_.index].row;
  const auto& a = row.state;
  account_.exec(id, a.amount, a.version, static_cast<int>(a.kind), static_cast<int>(a.money),
                int{a.closed}, a.owner);
}

}  // namespace baraza::storage::embedded
