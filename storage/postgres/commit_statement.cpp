#include "storage/postgres/commit_statement.hpp"

#include <algorithm>
#include <string>

namespace baraza::storage::postgres {
namespace {

// Read from the top: the own fence row is locked; every write selects from `go`, which is empty
// unless the fence is open and the journals' heads are where the members expect them. Heads that
// this connection itself has written are not looked up again: the journal's key alone refuses a
// second owner. What an account forbids is a condition of its update, so that each account is
// looked up once and judged by its newest row, not by this statement's snapshot: if fewer rows
// change than asked, refuse() ends the statement with nothing written, as a taken key does. Every
// statement locks accounts, then journals, then transfers, each in key order, so that two writers
// never wait for each other in a circle.
constexpr std::string_view head = R"sql(
with fence_row as materialized (
  select (extract(epoch from clock_timestamp()) * 1000)::bigint as at
  from fence where incarnation = $1 and writer = $2 and generation = $3 and open for no key update),
go as materialized (
  select at from fence_row
  where not exists (
    select from unnest($5::smallint[], $6::uuid[], $7::bigint[]) as c (kind, entity, expected)
    left join lateral (
      select seq from journal x where x.kind = c.kind and x.entity = c.entity order by seq desc limit 1) h on true
    where c.expected <> coalesce(h.seq, 0))),
put_account as (
  update account r set balance = r.balance + a.delta, version = r.version + 1, closed = a.closes
  from go, unnest($21::uuid[], $22::bigint[], $23::smallint[], $24::boolean[]) with ordinality
    as a (id, delta, currency, closes, i)
  where r.id = a.id and not r.closed and (a.currency = 0 or r.currency = a.currency)
    and (r.kind > 3 or r.balance + a.delta >= 0) and (not a.closes or r.balance + a.delta = 0)
  returning a.i, r.balance, r.version, r.kind),
put_journal as (
  insert into journal (seq, at, epoch, incarnation, batch, kind, writer, entity, payload, debits)
  select j.seq, go.at, j.epoch, $1, $4, j.kind, $2, j.entity, j.payload, j.debits
  from go, unnest($8::smallint[], $9::uuid[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[])
    as j (kind, entity, seq, epoch, payload, debits)),
put_transfer as (
  insert into transfer (amount, at, id, debit, credit, reference, kind, currency)
  select t.amount, go.at, t.id, t.debit, t.credit, t.reference, t.kind, t.currency
  from go, unnest($14::uuid[], $15::uuid[], $16::uuid[], $17::uuid[], $18::bigint[], $19::smallint[], $20::smallint[])
    as t (id, debit, credit, reference, amount, currency, kind))
)sql";

constexpr std::string_view full_writes = R"sql(,
put_open as (
  insert into account (balance, version, id, owner, opened_at, kind, currency, closed)
  select o.delta, 1, o.id, o.owner, go.at, o.kind, o.currency, o.closed
  from go, unnest($25::uuid[], $26::smallint[], $27::smallint[], $28::uuid[], $29::bigint[], $30::boolean[])
    as o (id, kind, currency, owner, delta, closed)),
put_snapshot as (
  insert into snapshot (kind, entity, seq, at, payload)
  select s.kind, s.entity, s.seq, go.at, s.payload
  from go, unnest($31::smallint[], $32::uuid[], $33::bigint[], $34::bytea[]) as s (kind, entity, seq, payload)
  on conflict (kind, entity) do update set seq = excluded.seq, at = excluded.at, payload = excluded.payload),
put_wake as (
  insert into wake (kind, entity, shard, at)
  select w.kind, w.entity, w.shard, w.at
  from go, unnest($35::smallint[], $36::uuid[], $37::integer[], $38::bigint[]) as w (kind, entity, shard, at)
  on conflict (kind, entity) do update set shard = excluded.shard, at = excluded.at),
clear_wake as (
  delete from wake x using go, unnest($39::smallint[], $40::uuid[]) as w (kind, entity)
  where x.kind = w.kind and x.entity = w.entity)
)sql";

// No row: fenced. `at` null: a head is elsewhere. Else the floor accounts' balances and versions,
// by their place in $21.
constexpr std::string_view answer = R"sql(
select go.at, p.places, p.balances, p.versions,
  case when go.at is not null and p.changed <> coalesce(array_length($21, 1), 0)
    then refuse('an account forbids its change') end
from fence_row left join go on true cross join (
  select count(*) as changed, array_agg(i) filter (where kind <= 3) as places,
    array_agg(balance) filter (where kind <= 3) as balances, array_agg(version) filter (where kind <= 3) as versions
  from put_account) p
)sql";

/// Element `index` of a one-dimensional binary array of 8-byte numbers without nulls: a header of
/// 20 bytes, then length and value.
std::int64_t number_at(std::string_view array, std::size_t index) {
  return read_big_endian<std::int64_t>(array.data() + 20 + index * 12 + 4);
}

std::int64_t signed_number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

}  // namespace

std::string_view commit_sql(bool full) {
  static const std::string plain_text = std::string{head}.append(answer);
  static const std::string full_text = std::string{head}.append(full_writes).append(answer);
  return full ? full_text : plain_text;
}

commit_parameters::commit_parameters()
    : check_kind_{oid::int2},
      check_entity_{oid::uuid},
      check_expected_{oid::int8},
      journal_kind_{oid::int2},
      journal_entity_{oid::uuid},
      journal_seq_{oid::int8},
      journal_epoch_{oid::int8},
      journal_payload_{oid::bytea},
      journal_debits_{oid::bytea},
      transfer_id_{oid::uuid},
      transfer_debit_{oid::uuid},
      transfer_credit_{oid::uuid},
      transfer_reference_{oid::uuid},
      transfer_amount_{oid::int8},
      transfer_currency_{oid::int2},
      transfer_kind_{oid::int2},
      account_id_{oid::uuid},
      account_delta_{oid::int8},
      account_currency_{oid::int2},
      account_closes_{oid::boolean},
      open_id_{oid::uuid},
      open_kind_{oid::int2},
      open_currency_{oid::int2},
      open_owner_{oid::uuid},
      open_delta_{oid::int8},
      open_closed_{oid::boolean},
      snapshot_kind_{oid::int2},
      snapshot_entity_{oid::uuid},
      snapshot_seq_{oid::int8},
      snapshot_payload_{oid::bytea},
      wake_kind_{oid::int2},
      wake_entity_{oid::uuid},
      wake_shard_{oid::int4},
      wake_at_{oid::int8},
      clear_kind_{oid::int2},
      clear_entity_{oid::uuid} {}

bool commit_parameters::build(const batch& work, const progress& so_far, const writer_key& writer,
                              const known_heads& heads, bool examined) {
  order_ = so_far.open_members;
  std::ranges::sort(order_, {}, [&](std::size_t i) { return work.members[i]->entity; });
  full_ = std::ranges::any_of(order_, [&](std::size_t i) {
    const auto& member = *work.members[i];
    return !member.opens.empty() || member.snapshot || member.wake != commit::wake_change::keep;
  });
  add_journal(work, so_far, heads);
  add_transfers(work, so_far);
  if (!add_accounts(examined)) return false;
  add_entities(work);
  finish(work.id, writer);
  return true;
}

void commit_parameters::add_journal(const batch& work, const progress& so_far,
                                    const known_heads& heads) {
  for (auto* column :
       {&check_kind_, &check_entity_, &check_expected_, &journal_kind_, &journal_entity_,
        &journal_seq_, &journal_epoch_, &journal_payload_, &journal_debits_})
    column->clear();
  std::string debits;
  for (const auto index : order_) {
    const auto& member = *work.members[index];
    debits.clear();
    if (member.entity.kind == entity_kind::wallet)  // only the wallet debits its player
      for (const auto& t : member.transfers)
        if (!credits_player(t.kind) &&
            (so_far.transfers_there.empty() || !so_far.transfers_there.contains(t.id)))
          debits.append(reinterpret_cast<const char*>(t.id.bytes.data()), t.id.bytes.size());
    auto seq = member.expected_seq;
    if (seq > 0 && !heads.is_at(member.entity, seq)) {
      check_kind_.push(static_cast<std::int16_t>(member.entity.kind));
      check_entity_.push(member.entity.key);
      check_expected_.push(signed_number(seq));
    }
    for (const auto& event : member.events) {
      const bool first = ++seq == member.expected_seq + 1;
      journal_kind_.push(static_cast<std::int16_t>(member.entity.kind));
      journal_entity_.push(member.entity.key);
      journal_seq_.push(signed_number(seq));
      journal_epoch_.push(signed_number(member.epoch));
      journal_payload_.push_bytes(event);
      if (first && !debits.empty())
        journal_debits_.push_bytes(debits);
      else
        journal_debits_.push_null();
    }
  }
}

void commit_parameters::add_transfers(const batch& work, const progress& so_far) {
  for (auto* column : {&transfer_id_, &transfer_debit_, &transfer_credit_, &transfer_reference_,
                       &transfer_amount_, &transfer_currency_, &transfer_kind_})
    column->clear();
  transfers_.clear();
  touches_.clear();
  for (const auto index : order_) {
    const auto& member = *work.members[index];
    const auto number = static_cast<std::uint32_t>(index);
    for (const auto& t : member.transfers) {
      if (!so_far.transfers_there.empty() && so_far.transfers_there.contains(t.id)) continue;
      transfers_.push_back(&t);
      touches_.push_back({t.debit, number, -t.amount, t.money});
      touches_.push_back({t.credit, number, t.amount, t.money});
    }
    for (const auto& id : member.closes)
      if (!so_far.closed_there.contains(id))
        touches_.push_back({.account = id, .member = number, .closes = true});
    for (const auto& open : member.opens)
      if (!so_far.accounts_there.contains(open.id))
        touches_.push_back(
            {.account = open.id, .member = number, .money = open.money, .open = &open});
  }
  std::ranges::sort(transfers_, {}, [](const transfer* t) { return t->id; });
  for (const auto* t : transfers_) {
    transfer_id_.push(t->id);
    transfer_debit_.push(t->debit);
    transfer_credit_.push(t->credit);
    transfer_reference_.push(t->reference);
    transfer_amount_.push(t->amount);
    transfer_currency_.push(static_cast<std::int16_t>(t->money));
    transfer_kind_.push(static_cast<std::int16_t>(t->kind));
  }
}

bool commit_parameters::add_accounts(bool examined) {
  for (auto* column :
       {&account_id_, &account_delta_, &account_currency_, &account_closes_, &open_id_, &open_kind_,
        &open_currency_, &open_owner_, &open_delta_, &open_closed_})
    column->clear();
  lines_.clear();
  opened_lines_.clear();
  std::ranges::sort(touches_, [](const touch& x, const touch& y) {
    return x.account != y.account ? x.account < y.account : x.member < y.member;
  });
  for (std::size_t first = 0, last = 0; first < touches_.size(); first = last) {
    std::int64_t delta = 0;
    auto money = touches_[first].money;
    bool closes = false, several = false;
    const account_open* open = nullptr;
    for (last = first; last < touches_.size() && touches_[last].account == touches_[first].account;
         ++last) {
      const auto& next = touches_[last];
      if (__builtin_add_overflow(delta, next.delta, &delta)) return false;
      if (money == currency{}) money = next.money;
      if (next.money != currency{} && next.money != money) return false;
      closes = closes || next.closes;
      several = several || next.member != touches_[first].member;
      if (next.open != nullptr) open = next.open;
    }
    if (closes && several && !examined) return false;
    if (open != nullptr) {
      if (closes && delta != 0 && !examined) return false;
      opened_lines_.push_back({first, last});
      open_id_.push(open->id);
      open_kind_.push(static_cast<std::int16_t>(open->kind));
      open_currency_.push(static_cast<std::int16_t>(open->money));
      open_owner_.push(open->owner);
      open_delta_.push(delta);
      open_closed_.push(closes);
    } else {
      lines_.push_back({first, last});
      account_id_.push(touches_[first].account);
      account_delta_.push(delta);
      account_currency_.push(static_cast<std::int16_t>(money));
      account_closes_.push(closes);
    }
  }
  return true;
}

void commit_parameters::add_entities(const batch& work) {
  for (auto* column :
       {&snapshot_kind_, &snapshot_entity_, &snapshot_seq_, &snapshot_payload_, &wake_kind_,
        &wake_entity_, &wake_shard_, &wake_at_, &clear_kind_, &clear_entity_})
    column->clear();
  if (!full_) return;
  for (const auto index : order_) {
    const auto& member = *work.members[index];
    const auto kind = static_cast<std::int16_t>(member.entity.kind);
    if (member.snapshot) {
      snapshot_kind_.push(kind);
      snapshot_entity_.push(member.entity.key);
      snapshot_seq_.push(signed_number(member.expected_seq + member.events.size()));
      snapshot_payload_.push_bytes(*member.snapshot);
    }
    if (member.wake == commit::wake_change::set) {
      wake_kind_.push(kind);
      wake_entity_.push(member.entity.key);
      wake_shard_.push(static_cast<std::int32_t>(member.shard));
      wake_at_.push(member.wake_at);
    } else if (member.wake == commit::wake_change::clear) {
      clear_kind_.push(kind);
      clear_entity_.push(member.entity.key);
    }
  }
}

void commit_parameters::finish(const batch_id& id, const writer_key& writer) {
  fixed_.clear();
  append_big_endian(fixed_, writer.incarnation);
  append_big_endian(fixed_, writer.index);
  append_big_endian(fixed_, writer.generation);
  append_big_endian(fixed_, id.number);
  const std::string_view fixed = fixed_;
  values_ = {fixed.substr(0, 8), fixed.substr(8, 2), fixed.substr(10, 8), fixed.substr(18, 8)};
  for (auto* column :
       {&check_kind_,         &check_entity_,    &check_expected_,    &journal_kind_,
        &journal_entity_,     &journal_seq_,     &journal_epoch_,     &journal_payload_,
        &journal_debits_,     &transfer_id_,     &transfer_debit_,    &transfer_credit_,
        &transfer_reference_, &transfer_amount_, &transfer_currency_, &transfer_kind_,
        &account_id_,         &account_delta_,   &account_currency_,  &account_closes_})
    values_.push_back(column->data());
  if (!full_) return;
  for (auto* column :
       {&open_id_, &open_kind_, &open_currency_, &open_owner_, &open_delta_, &open_closed_,
        &snapshot_kind_, &snapshot_entity_, &snapshot_seq_, &snapshot_payload_, &wake_kind_,
        &wake_entity_, &wake_shard_, &wake_at_, &clear_kind_, &clear_entity_})
    values_.push_back(column->data());
}

commit_parameters::outcome commit_parameters::read(const reply& answer, progress& so_far) const {
  outcome result;
  result.fenced = answer.size() == 0;
  result.applied = !result.fenced && !answer.is_null(0, 0);
  if (!result.applied) return result;
  const auto give = [&](const line& where, std::int64_t amount, std::uint64_t version,
                        bool closed) {
    for (auto i = where.first; i < where.last; ++i) {
      if (i > where.first && touches_[i].member == touches_[i - 1].member) continue;
      so_far.results[touches_[i].member].balances.push_back(
          {touches_[i].account, amount, version, closed});
    }
  };
  const auto is_closed = [&](const line& where) {
    return std::any_of(touches_.begin() + static_cast<std::ptrdiff_t>(where.first),
                       touches_.begin() + static_cast<std::ptrdiff_t>(where.last),
                       [](const touch& t) { return t.closes; });
  };
  const auto places = answer.text(0, 1), balances = answer.text(0, 2), versions = answer.text(0, 3);
  const std::size_t count = places.size() < 20 ? 0 : (places.size() - 20) / 12;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& where = lines_.at(static_cast<std::size_t>(number_at(places, i) - 1));
    give(where, number_at(balances, i), static_cast<std::uint64_t>(number_at(versions, i)),
         is_closed(where));
  }
  for (const auto& where :
       opened_lines_) {  // their rows are ours alone: what we sent is what they hold
    std::int64_t amount = 0;
    const account_open* open = nullptr;
    for (auto i = where.first; i < where.last; ++i) {
      amount += touches_[i].delta;
      if (touches_[i].open != nullptr) open = touches_[i].open;
    }
    if (has_floor(open->kind)) give(where, amount, 1, is_closed(where));
  }
  return result;
}

}  // namespace baraza::storage::postgres
