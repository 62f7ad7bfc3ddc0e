#include "storage/embedded/apply.hpp"

#include <algorithm>
#include <limits>

#include "storage/checks.hpp"

namespace baraza::storage::embedded {
namespace {

constexpr std::size_t account_map_buckets_max =
    1 << 16;  // a larger map is given back after its batch
// A row of the log is closed when it has grown beyond this; far below what SQLite holds in a value.
constexpr std::size_t log_row_bytes = 4 * 1024 * 1024;

}  // namespace

applier::applier(connection& db, commit_log& log)
    : db_{db},
      log_{log},
      fence_{db.handle(), "SELECT open FROM fence WHERE incarnation=? AND writer=?"},
      resolve_fence_{
          db.handle(),
          "UPDATE fence SET resolved=resolved+1 WHERE incarnation=? AND writer=? AND open=1"},
      head_{db.handle(), "SELECT seq FROM journal WHERE entity=? ORDER BY seq DESC LIMIT 1"},
      batch_of_{db.handle(),
                "SELECT incarnation,writer,number FROM journal WHERE entity=? AND seq=?"},
      epoch_{db.handle(), "SELECT epoch,shards FROM store"},
      account_{db.handle(),
               "SELECT balance,version,kind,currency,closed,owner FROM account WHERE id=?"},
      transfer_{db.handle(),
                "SELECT debit,credit,amount,currency,kind,reference FROM transfer WHERE id=?"},
      snapshot_put_{db.handle(),
                    "INSERT OR REPLACE INTO snapshot(entity,seq,payload) VALUES(?,?,?)"},
      wake_put_{db.handle(), "INSERT OR REPLACE INTO wake(entity,shard,at) VALUES(?,?,?)"},
      wake_clear_{db.handle(), "DELETE FROM wake WHERE entity=?"} {}

batch_result applier::apply(const batch& work, millis now) {
  if (auto why = batch_fault(work)) return {why->code, why->message, {}};
  const auto refused = [](const failure& why) -> batch_result {
    // A constraint cannot fail after the checks: if it does, the file and the code disagree.
    return {why.code == errc::exists ? errc::corrupt : why.code, why.what(), {}};
  };
  const bool merging = log_.is_merging();
  try {
    if (log_.is_full()) log_.merge_all();
    return run(work, now, commit_log::merging::yes);
  } catch (const failure& why) {
    log_.rolled_back();
    if (!merging || log_.is_full() || why.code != errc::unavailable) return refused(why);
  }
  // A disk too full to merge may have room for the few pages of the commit itself.
  try {
    return run(work, now, commit_log::merging::no);
  } catch (const failure& why) {
    log_.rolled_back();
    return refused(why);
  }
}

batch_result applier::run(const batch& work, millis now, commit_log::merging how) {
  if (accounts_.bucket_count() > account_map_buckets_max) accounts_ = {};
  accounts_.clear();
  member_accounts_.clear();
  rows_.clear();
  moved_ = 0;
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
  begin_row(work.id, now);
  for (const auto* member : work.members) result.members.push_back(take(*member, work.id, now));
  pack_accounts();
  if (packer_.holds_something()) rows_.push_back(packer_.take());
  log_.append(std::move(rows_), moved_, how);
  change.commit();
  log_.committed();
  fill_balances(result);
  return result;
}

void applier::begin_row(const batch_id& id, millis now) {
  packer_.begin({id, now, store_epoch_, log_.next_transfer() + moved_});
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
  const auto head = find_head(member.entity);
  if (head == member.expected_seq) return errc::none;
  if (head < member.expected_seq) {
    detail = "the journal's head is elsewhere than at " + std::to_string(member.expected_seq);
    return errc::seq_conflict;
  }
  if (batch_of(member.entity, member.expected_seq + 1) == id) {
    p.applied_before = true;
    return errc::none;
  }
  detail = "seq " + std::to_string(member.expected_seq + 1) + " is taken";
  return errc::seq_conflict;
}

std::uint64_t applier::find_head(const entity_id& entity) {
  if (const auto known = log_.unmerged().head_or_cached(entity)) return *known;
  const entity_key key{entity};
  reading head{head_};
  return head_.run(std::string_view{key}).step() ? head_.number(0) : 0;
}

batch_id applier::batch_of(const entity_id& entity, std::uint64_t seq) {
  if (const auto logged = log_.unmerged().batch_of(entity, seq)) return *logged;
  const entity_key key{entity};
  reading batch{batch_of_};
  if (!batch_of_.run(std::string_view{key}, seq).step()) return {};
  return {batch_of_.number(0), static_cast<std::uint16_t>(batch_of_.integer(1)),
          batch_of_.number(2)};
}

applier::account_entry& applier::find(const account_id& id) {
  auto [at, fresh] = accounts_.try_emplace(id);
  auto& row = at->second;
  if (!fresh) return *at;
  if (const auto* known = log_.unmerged().account_or_cached(id)) {
    static_cast<account_state&>(row) = *known;
    row.exists = true;
    return *at;
  }
  reading account{account_};
  if (!account_.run(id).step()) return *at;
  row.amount = account_.integer(0);
  row.version = account_.number(1);
  row.kind = static_cast<account_kind>(account_.integer(2));
  row.money = static_cast<currency>(account_.integer(3));
  row.closed = account_.integer(4) != 0;
  row.owner = account_.key(5);
  row.exists = true;
  return *at;
}

const transfer* applier::find_transfer(const uuid& id) {
  if (const auto* logged = log_.unmerged().transfer(id)) return &logged->what;
  if (!log_.table_may_hold(id)) return nullptr;
  reading existing{transfer_};
  if (!transfer_.run(id).step()) return nullptr;
  found_ = {id,
            transfer_.key(0),
            transfer_.key(1),
            transfer_.integer(2),
            static_cast<currency>(transfer_.integer(3)),
            static_cast<transfer_kind>(transfer_.integer(4)),
            transfer_.key(5)};
  return &found_;
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
  if (const auto* other = find_transfer(t.id)) {
    if (*other == t) {
      ++p.existing;
      touch(find(t.debit), p);  // the caller wants the balances all the same
      touch(find(t.credit), p);
      return errc::none;
    }
    detail = "transfer " + t.id.to_string() + " exists with other content";
    return errc::transfer_conflict;
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
  if (packer_.bytes() > log_row_bytes) {
    rows_.push_back(packer_.take());
    begin_row(id, now);
  }
  packer_.member(member, p.moves);
  moved_ += p.moves.size();
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
  // Few commits have these, and one row each: they are written home at once.
  const entity_key key{member.entity};
  const std::string_view entity = key;
  if (member.snapshot)
    snapshot_put_.exec(entity, member.expected_seq + member.events.size(),
                       std::string_view{*member.snapshot});
  if (member.wake == commit::wake_change::set) wake_put_.exec(entity, member.shard, member.wake_at);
  if (member.wake == commit::wake_change::clear) wake_clear_.exec(entity);
}

void applier::pack_accounts() {
  for (auto& [id, row] : accounts_) {
    if (!row.changed) continue;
    ++row.version;
    packer_.account(id, row);
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
