#include "storage/embedded/apply.hpp"

#include <algorithm>
#include <limits>

#include "storage/checks.hpp"

namespace baraza::storage::embedded {
namespace {

constexpr std::size_t account_map_buckets_max =
    1 << 16;  // a larger map is given back after its batch

}  // namespace

applier::applier(connection& db)
    : db_{db},
      fence_{db.handle(), "SELECT open FROM fence WHERE incarnation=? AND writer=?"},
      resolve_fence_{
          db.handle(),
          "UPDATE fence SET resolved=resolved+1 WHERE incarnation=? AND writer=? AND open=1"},
      head_{db.handle(),
            "SELECT seq,incarnation,writer,number FROM journal WHERE entity=? AND seq>=? ORDER BY "
            "seq LIMIT 2"},
      epoch_{db.handle(), "SELECT epoch,shards FROM store"},
      account_{db.handle(),
               "SELECT balance,version,kind,currency,closed,owner FROM account WHERE id=?"},
      account_insert_{db.handle(),
                      "INSERT INTO account(id,balance,version,kind,currency,closed,owner) "
                      "VALUES(?,?,?,?,?,?,?)"},
      account_update_{db.handle(), "UPDATE account SET balance=?,version=?,closed=? WHERE id=?"},
      transfer_{db.handle(),
                "SELECT debit,credit,amount,currency,kind,reference FROM transfer WHERE id=?"},
      transfer_insert_{
          db.handle(),
          "INSERT INTO transfer(id,debit,credit,amount,currency,kind,at,entity_seq,reference)"
          " VALUES(?,?,?,?,?,?,?,?,?)"},
      journal_insert_{db.handle(),
                      "INSERT INTO journal(entity,seq,at,epoch,incarnation,writer,number,payload)"
                      " VALUES(?,?,?,?,?,?,?,?)"},
      snapshot_put_{db.handle(),
                    "INSERT OR REPLACE INTO snapshot(entity,seq,payload) VALUES(?,?,?)"},
      wake_put_{db.handle(), "INSERT OR REPLACE INTO wake(entity,shard,at) VALUES(?,?,?)"},
      wake_clear_{db.handle(), "DELETE FROM wake WHERE entity=?"} {}

batch_result applier::apply(const batch& work, millis now) {
  if (auto why = batch_fault(work)) return {why->code, why->message, {}};
  try {
    return run(work, now);
  } catch (const failure& why) {
    // A constraint cannot fail after the checks: if it does, the file and the code disagree.
    return {why.code == errc::exists ? errc::corrupt : why.code, why.what(), {}};
  }
}

batch_result applier::run(const batch& work, millis now) {
  if (accounts_.bucket_count() > account_map_buckets_max) accounts_ = {};
  accounts_.clear();
  member_accounts_.clear();
  transaction change{db_, access::write};
  {
    reading fence{fence_};
    if (!fence_.run(work.id.incarnation, std::uint32_t{work.id.writer}).step() ||
        fence_.integer(0) == 0)
      return {errc::fenced, "this incarnation is fenced off", {}};
  }
  {
    reading epoch{epoch_};
    if (!epoch_.run().step())
      throw failure{errc::corrupt, "embedded store: its own row is missing"};
    store_epoch_ = epoch_.number(0);
    shards_ = epoch_.number(1);
  }
  batch_result result;
  result.members.reserve(work.members.size());
  for (const auto* member : work.members) result.members.push_back(take(*member, work.id, now));
  write_accounts();
  change.commit();
  fill_balances(result);
  return result;
}

member_result applier::take(const commit& member, const batch_id& id, millis now) {
  member_result answer;
  plan p;
  answer.code = check(member, id, p, answer.detail);
  if (answer.code != errc::none) {
    undo(p);
    member_accounts_.emplace_back();
    return answer;
  }
  if (p.applied_before) {
    note_all_accounts(member);
    return answer;
  }
  answer.existing_transfers = p.existing;
  note_touched(p);
  accept(member, p, id, now);
  return answer;
}

errc applier::check(const commit& member, const batch_id& id, plan& p, std::string& detail) {
  if (auto why = member_fault(member)) {
    detail = std::move(why->message);
    return why->code;
  }
  if (const auto code = check_sequence(member, id, p, detail);
      code != errc::none || p.applied_before)
    return code;
  if (member.epoch != store_epoch_ || member.shard >= shards_) {
    detail = "the store's shards are of epoch " + std::to_string(store_epoch_);
    return errc::stale_epoch;
  }
  if (const auto code = check_opens(member, p, detail); code != errc::none) return code;
  for (const auto& t : member.transfers)
    if (const auto code = check_transfer(t, p, detail); code != errc::none) return code;
  return check_results(member, p, detail);
}

errc applier::check_sequence(const commit& member, const batch_id& id, plan& p,
                             std::string& detail) {
  const entity_key entity{member.entity};
  reading head{head_};
  std::uint64_t newest = 0;
  head_.run(std::string_view{entity}, member.expected_seq);
  if (head_.step()) newest = head_.number(0);
  if (member.expected_seq > 0 && newest != member.expected_seq) {
    detail = "the journal's head is elsewhere than at " + std::to_string(member.expected_seq);
    return errc::seq_conflict;
  }
  const bool taken = member.expected_seq == 0 ? newest != 0 : head_.step();
  if (!taken) return errc::none;
  const batch_id other{head_.number(1), static_cast<std::uint16_t>(head_.integer(2)),
                       head_.number(3)};
  if (other == id) {
    p.applied_before = true;
    return errc::none;
  }
  detail = "seq " + std::to_string(member.expected_seq + 1) + " is taken";
  return errc::seq_conflict;
}

applier::account_entry& applier::find(const account_id& id) {
  auto [at, fresh] = accounts_.try_emplace(id);
  auto& row = at->second;
  if (!fresh) return *at;
  reading account{account_};
  if (!account_.run(id).step()) return *at;
  row.amount = account_.integer(0);
  row.version = account_.number(1);
  row.kind = static_cast<account_kind>(account_.integer(2));
  row.money = static_cast<currency>(account_.integer(3));
  row.closed = account_.integer(4) != 0;
  row.owner = account_.key(5);
  row.exists = row.stored = true;
  return *at;
}

void applier::touch(account_entry& entry, plan& p) {
  if (entry.second.touched) return;
  entry.second.touched = true;
  p.touched.push_back(&entry);
}

errc applier::check_opens(const commit& member, plan& p, std::string& detail) {
  for (const auto& open : member.opens) {
    auto& entry = find(open.id);
    auto& row = entry.second;
    touch(entry, p);
    if (row.exists) {
      if (row.kind == open.kind && row.money == open.money && row.owner == open.owner) continue;
      detail = "account " + open.id.to_string() + " exists with another kind, currency or owner";
      return errc::exists;
    }
    row.exists = true;
    row.kind = open.kind;
    row.money = open.money;
    row.owner = open.owner;
    p.opened.push_back(&entry);
  }
  return errc::none;
}

errc applier::check_transfer(const transfer& t, plan& p, std::string& detail) {
  {
    reading existing{transfer_};
    if (transfer_.run(t.id).step()) {
      const transfer other{t.id,
                           transfer_.key(0),
                           transfer_.key(1),
                           transfer_.integer(2),
                           static_cast<currency>(transfer_.integer(3)),
                           static_cast<transfer_kind>(transfer_.integer(4)),
                           transfer_.key(5)};
      if (other == t) {
        ++p.existing;
        touch(find(t.debit), p);  // the caller wants the balances all the same
        touch(find(t.credit), p);
        return errc::none;
      }
      detail = "transfer " + t.id.to_string() + " exists with other content";
      return errc::transfer_conflict;
    }
  }
  auto& debit = find(t.debit);
  auto& credit = find(t.credit);
  for (const auto* entry : {&debit, &credit}) {
    errc code = errc::none;
    if (!entry->second.exists)
      code = errc::account_unknown;
    else if (entry->second.money != t.money)
      code = errc::currency_mismatch;
    else if (entry->second.closed)
      code = errc::account_closed;
    if (code == errc::none) continue;
    detail = "account " + entry->first.to_string();
    return code;
  }
  touch(debit, p);
  touch(credit, p);
  debit.second.pending -= t.amount;
  credit.second.pending += t.amount;
  p.moves.push_back(&t);
  return errc::none;
}

errc applier::check_results(const commit& member, plan& p, std::string& detail) {
  for (const auto* entry : p.touched) {
    const auto& row = entry->second;
    const wide after = row.amount + row.pending;
    if (has_floor(row.kind) && after < 0 && row.pending < 0) {
      detail = "account " + entry->first.to_string() + " holds " + std::to_string(row.amount);
      return errc::overdraft;
    }
    if (after > std::numeric_limits<std::int64_t>::max() ||
        after < std::numeric_limits<std::int64_t>::min()) {
      detail = "account " + entry->first.to_string() + " would leave the range of 64 bits";
      return errc::invalid;
    }
  }
  for (const auto& id : member.closes) {
    auto& entry = find(id);
    if (!entry.second.exists) {
      detail = "account " + id.to_string();
      return errc::account_unknown;
    }
    if (entry.second.amount + entry.second.pending != 0) {
      detail = "account " + id.to_string() + " cannot be closed: it is not empty";
      return errc::account_not_empty;
    }
    touch(entry, p);
    p.closed.push_back(&entry);
  }
  return errc::none;
}

void applier::undo(const plan& p) {
  for (auto* entry : p.opened) entry->second.exists = false;
  for (auto* entry : p.touched) {
    entry->second.pending = 0;
    entry->second.touched = false;
  }
}

void applier::accept(const commit& member, const plan& p, const batch_id& id, millis now) {
  const entity_key key{member.entity};
  const std::string_view entity = key;
  std::uint64_t seq = member.expected_seq;
  for (const auto& event : member.events)
    journal_insert_.exec(entity, ++seq, now, member.epoch, id.incarnation, std::uint32_t{id.writer},
                         id.number, std::string_view{event});
  for (const auto* t : p.moves)
    transfer_insert_.exec(t->id, t->debit, t->credit, t->amount, static_cast<int>(t->money),
                          static_cast<int>(t->kind), now, member.expected_seq + 1, t->reference);
  for (auto* entry : p.touched) {
    auto& row = entry->second;
    row.changed = row.changed || row.pending != 0;
    row.amount = static_cast<std::int64_t>(row.amount + row.pending);
    row.pending = 0;
    row.touched = false;
  }
  for (auto* entry : p.opened) entry->second.changed = true;
  for (auto* entry : p.closed) {
    entry->second.changed = entry->second.changed || !entry->second.closed;
    entry->second.closed = true;
  }
  if (member.snapshot) snapshot_put_.exec(entity, seq, std::string_view{*member.snapshot});
  if (member.wake == commit::wake_change::set) wake_put_.exec(entity, member.shard, member.wake_at);
  if (member.wake == commit::wake_change::clear) wake_clear_.exec(entity);
}

void applier::write_accounts() {
  std::vector<account_entry*> changed;
  for (auto& entry : accounts_)
    if (entry.second.changed) changed.push_back(&entry);
  std::ranges::sort(changed, {}, [](const account_entry* entry) { return entry->first; });
  for (auto* entry : changed) {
    auto& row = entry->second;
    ++row.version;
    if (row.stored)
      account_update_.exec(row.amount, row.version, int{row.closed}, entry->first);
    else
      account_insert_.exec(entry->first, row.amount, row.version, static_cast<int>(row.kind),
                           static_cast<int>(row.money), int{row.closed}, row.owner);
  }
}

void applier::note_touched(const plan& p) {
  auto& floor = member_accounts_.emplace_back();
  for (auto* entry : p.touched)
    if (entry->second.exists && has_floor(entry->second.kind)) floor.push_back(entry);
}

void applier::note_all_accounts(const commit& member) {
  plan all;
  for (const auto& open : member.opens) touch(find(open.id), all);
  for (const auto& t : member.transfers) {
    touch(find(t.debit), all);
    touch(find(t.credit), all);
  }
  for (const auto& id : member.closes) touch(find(id), all);
  note_touched(all);
  undo(all);
}

void applier::fill_balances(batch_result& result) const {
  for (std::size_t i = 0; i < result.members.size(); ++i)
    for (const auto* entry : member_accounts_[i]) {
      const auto& row = entry->second;
      result.members[i].balances.push_back({entry->first, row.amount, row.version, row.closed});
    }
}

batch_result applier::resolve(const batch& work) {
  try {
    return find_applied(work);
  } catch (const failure& why) {
    return {why.code, why.what(), {}};
  }
}

batch_result applier::find_applied(const batch& work) {
  accounts_.clear();
  member_accounts_.clear();
  transaction change{db_, access::write};
  // The write makes the answer final: whatever a failed fsync left behind in the log is overwritten
  // by this commit.
  if (resolve_fence_.exec(work.id.incarnation, std::uint32_t{work.id.writer}) == 0)
    return {errc::fenced, "this incarnation is fenced off", {}};
  batch_result result;
  for (const auto* member : work.members) {
    auto& answer = result.members.emplace_back();
    plan p;
    answer.code = check_sequence(*member, work.id, p, answer.detail);
    if (answer.code == errc::none && p.applied_before) {
      note_all_accounts(*member);
      continue;
    }
    answer.code = errc::unavailable;
    answer.detail = "not there: submit it again";
    member_accounts_.emplace_back();
  }
  change.commit();
  fill_balances(result);
  return result;
}

}  // namespace baraza::storage::embedded
