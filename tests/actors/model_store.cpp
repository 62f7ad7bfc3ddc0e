#include "model_store.hpp"

#include <algorithm>
#include <set>

namespace baraza::test {

using storage::errc;

model_store::model_store() {
  using storage::account_kind;
  for (const auto kind : {account_kind::rake, account_kind::bonus})
    for (std::uint32_t slot = 0; slot < storage::system_slots; ++slot) {
      const auto id = storage::system_account(kind, storage::currency::demo, slot);
      accounts[id].what = {id, kind, storage::currency::demo, {}};
    }
}

storage::member_result model_store::apply(const entity_id& entity, std::uint64_t expected_seq,
                                          const actors::change& what, millis now) {
  const auto fail = [](errc code) { return storage::member_result{code, "model", {}, {}}; };
  auto& journal = journals[entity];
  if (what.events.empty()) return fail(errc::invalid);
  if (journal.size() != expected_seq) return fail(errc::seq_conflict);

  auto after = accounts;  // small worlds: whole or nothing by copying
  auto moved = transfers;
  std::set<storage::account_id> touched;
  std::int64_t existing = 0;
  for (const auto& open : what.opens) after.try_emplace(open.id, account{open});
  for (const auto& t : what.transfers) {
    if (t.amount <= 0) return fail(errc::invalid);
    if (const auto old = moved.find(t.id); old != moved.end()) {
      if (old->second != t) return fail(errc::transfer_conflict);
      ++existing;
      continue;
    }
    const auto debit = after.find(t.debit), credit = after.find(t.credit);
    if (debit == after.end() || credit == after.end()) return fail(errc::account_unknown);
    if (debit->second.closed || credit->second.closed) return fail(errc::account_closed);
    if (debit->second.what.money != t.money || credit->second.what.money != t.money)
      return fail(errc::currency_mismatch);
    debit->second.balance -= t.amount;
    credit->second.balance += t.amount;
    touched.insert({t.debit, t.credit});
    moved[t.id] = t;
  }
  for (const auto& id : touched)
    if (has_floor(after[id].what.kind) && after[id].balance < 0) return fail(errc::overdraft);
  for (const auto& id : what.closes) {
    const auto closing = after.find(id);
    if (closing == after.end()) return fail(errc::account_unknown);
    if (closing->second.balance != 0) return fail(errc::account_not_empty);
    closing->second.closed = true;
    touched.insert(id);
  }

  storage::member_result out;
  out.existing_transfers = existing;
  for (const auto& id : touched) {
    auto& a = after[id];
    ++a.version;
    if (has_floor(a.what.kind)) out.balances.push_back({id, a.balance, a.version, a.closed});
  }
  accounts = std::move(after);
  transfers = std::move(moved);
  for (const auto& event : what.events) journal.push_back({journal.size() + 1, now, event});
  if (what.snapshot) snapshots[entity] = {journal.size(), *what.snapshot};
  if (what.wake == storage::commit::wake_change::set) wakes[entity] = what.wake_at;
  if (what.wake == storage::commit::wake_change::clear) wakes.erase(entity);
  return out;
}

storage::activation model_store::read(const entity_id& entity, bool with_snapshot) const {
  storage::activation out;
  out.entity = entity;
  const auto found = journals.find(entity);
  if (found == journals.end()) return out;
  out.head = found->second.size();
  if (const auto snap = snapshots.find(entity); with_snapshot && snap != snapshots.end()) {
    out.snapshot_seq = snap->second.first;
    out.snapshot = snap->second.second;
  }
  for (const auto& event : found->second)
    if (event.seq > out.snapshot_seq) out.events.push_back(event);
  return out;
}

const model_store::account* model_store::find(const storage::account_id& id) const {
  const auto found = accounts.find(id);
  return found == accounts.end() ? nullptr : &found->second;
}

std::vector<storage::balance> model_store::balances(
    const std::vector<storage::account_id>& ids) const {
  std::vector<storage::balance> out;
  for (const auto& id : ids)
    if (const auto* a = find(id)) out.push_back({id, a->balance, a->version, a->closed});
  return out;
}

std::vector<storage::transfer> model_store::transfers_of(const storage::account_id& account,
                                                         const uuid& reference) const {
  std::vector<storage::transfer> out;
  for (const auto& [id, t] : transfers)
    if (t.reference == reference && (t.debit == account || t.credit == account)) out.push_back(t);
  return out;
}

std::int64_t model_store::balance(const storage::account_id& id) const {
  const auto* a = find(id);
  return a ? a->balance : 0;
}

std::string model_store::violation() const {
  std::map<storage::account_id, std::int64_t> sums;
  for (const auto& [id, t] : transfers) {
    sums[t.debit] -= t.amount;
    sums[t.credit] += t.amount;
  }
  std::int64_t all = 0;
  for (const auto& [id, a] : accounts) {
    all += a.balance;
    if (a.balance != sums[id]) return "a balance is not the sum of its transfers";
    if (has_floor(a.what.kind) && a.balance < 0) return "an account is below its floor";
    if (a.closed && a.balance != 0) return "a closed account holds money";
  }
  if (all != 0) return "money was made or lost";
  return {};
}

}  // namespace baraza::test
