#include "storage/postgres/facts.hpp"

#include <algorithm>
#include <limits>

namespace baraza::storage::postgres {
namespace {

__extension__ using wide = __int128;  // sums of 64-bit amounts cannot overflow it

struct running {
  wide amount = 0;
  account_kind kind{};
  currency money{};
  uuid owner;
  bool exists = false, closed = false;
};

struct refusal {
  errc code = errc::none;
  std::string detail;
};

/// The accounts as the accepted members leave them, and as the member under check would.
class ledger_view {
 public:
  explicit ledger_view(const facts& known) : known_{known} {}

  running& account(const account_id& id) {
    if (const auto found = draft_.find(id); found != draft_.end()) return found->second;
    return draft_.emplace(id, accepted(id)).first->second;
  }
  /// What the account held before the member under check.
  wide before(const account_id& id) { return accepted(id).amount; }
  void accept() {
    for (auto& [id, row] : draft_) accepted_.insert_or_assign(id, row);
    draft_.clear();
  }
  void drop() { draft_.clear(); }
  std::unordered_map<account_id, running>& draft() { return draft_; }

 private:
  running accepted(const account_id& id) const {
    if (const auto found = accepted_.find(id); found != accepted_.end()) return found->second;
    const auto stored = known_.accounts.find(id);
    if (stored == known_.accounts.end()) return {};
    const auto& row = stored->second;
    return {row.amount, row.kind, row.money, row.owner, true, row.closed};
  }

  const facts& known_;
  std::unordered_map<account_id, running> accepted_, draft_;
};

refusal check_epoch(const commit& member, const facts& known) {
  const auto found = known.epochs.find(member.shard);
  if (found != known.epochs.end() && found->second == member.epoch) return {};
  return {errc::stale_epoch, "shard " + std::to_string(member.shard) + " is not held at epoch " +
                                 std::to_string(member.epoch)};
}

refusal check_opens(const commit& member, ledger_view& view, progress& so_far) {
  for (const auto& open : member.opens) {
    auto& row = view.account(open.id);
    if (!row.exists) {
      row = {0, open.kind, open.money, open.owner, true, false};
      continue;
    }
    if (row.kind != open.kind || row.money != open.money || row.owner != open.owner)
      return {errc::exists,
              "account " + open.id.to_string() + " exists with another kind, currency or owner"};
    so_far.accounts_there.insert(open.id);
  }
  return {};
}

refusal check_transfer(const transfer& t, const facts& known, ledger_view& view, progress& so_far) {
  if (const auto there = known.transfers.find(t.id); there != known.transfers.end()) {
    if (there->second != t)
      return {errc::transfer_conflict,
              "transfer " + t.id.to_string() + " exists with other content"};
    so_far.transfers_there.insert(t.id);
    return {};
  }
  for (const auto& id : {t.debit, t.credit}) {
    const auto& row = view.account(id);
    const auto code = !row.exists            ? errc::account_unknown
                      : row.money != t.money ? errc::currency_mismatch
                      : row.closed           ? errc::account_closed
                                             : errc::none;
    if (code != errc::none) return {code, "account " + id.to_string()};
  }
  view.account(t.debit).amount -= t.amount;
  view.account(t.credit).amount += t.amount;
  return {};
}

refusal check_results(const commit& member, const facts& known, ledger_view& view,
                      progress& so_far) {
  for (const auto& [id, row] : view.draft()) {
    if (row.exists && has_floor(row.kind) && row.amount < 0)
      return {errc::overdraft, "account " + id.to_string() + " holds " +
                                   std::to_string(static_cast<std::int64_t>(view.before(id)))};
    if (row.amount > std::numeric_limits<std::int64_t>::max() ||
        row.amount < std::numeric_limits<std::int64_t>::min())
      return {errc::invalid, "account " + id.to_string() + " would leave the range of 64 bits"};
  }
  for (const auto& id : member.closes) {
    auto& row = view.account(id);
    if (!row.exists) return {errc::account_unknown, "account " + id.to_string()};
    if (row.amount != 0)
      return {errc::account_not_empty,
              "account " + id.to_string() + " cannot be closed: it is not empty"};
    row.closed = true;
    if (const auto stored = known.accounts.find(id);
        stored != known.accounts.end() && stored->second.closed)
      so_far.closed_there.insert(id);
  }
  return {};
}

refusal check(const commit& member, const facts& known, ledger_view& view, progress& so_far) {
  if (auto why = check_epoch(member, known); why.code != errc::none) return why;
  if (auto why = check_opens(member, view, so_far); why.code != errc::none) return why;
  for (const auto& t : member.transfers)
    if (auto why = check_transfer(t, known, view, so_far); why.code != errc::none) return why;
  return check_results(member, known, view, so_far);
}

enum class place { free, taken, ours };

place find_place(const commit& member, const batch_id& id, const facts& known) {
  const auto found = known.heads.find(member.entity);
  const head_fact head = found == known.heads.end() ? head_fact{} : found->second;
  if (head.next_row) return *head.next_row == id ? place::ours : place::taken;
  return head.head == member.expected_seq ? place::free : place::taken;
}

}  // namespace

std::size_t examine(const batch& work, const facts& known, progress& so_far) {
  ledger_view view{known};
  const auto decided_before = so_far.open_members.size();
  const auto repeats_before = so_far.repeats();
  std::vector<std::size_t> still_open;
  for (const auto index : so_far.open_members) {
    const auto& member = *work.members[index];
    auto& answer = so_far.results[index];
    const auto where = find_place(member, work.id, known);
    if (where == place::ours) {
      so_far.reread.push_back(index);
      continue;
    }
    auto why = where == place::taken
                   ? refusal{errc::seq_conflict,
                             "the journal's head is at " +
                                 [&] {
                                   const auto found = known.heads.find(member.entity);
                                   return std::to_string(
                                       found == known.heads.end() ? 0 : found->second.head);
                                 }()}
                   : check(member, known, view, so_far);
    if (why.code == errc::none) {
      view.accept();
      still_open.push_back(index);
    } else {
      view.drop();
      answer.code = why.code;
      answer.detail = std::move(why.detail);
    }
  }
  so_far.open_members = std::move(still_open);
  return decided_before - so_far.open_members.size() + so_far.repeats() - repeats_before;
}

}  // namespace baraza::storage::postgres
