#include "storage/postgres/reader.hpp"

#include <algorithm>
#include <stdexcept>

#include "storage/limits.hpp"
#include "storage/postgres/connect.hpp"

namespace baraza::storage::postgres {
namespace {

std::string id_text(const uuid& id) { return id.to_string(); }
int number(entity_kind kind) { return static_cast<int>(kind); }

entity_id as_entity(const pqxx::field& kind, const pqxx::field& key) {
  return {static_cast<entity_kind>(kind.as<int>()), as_uuid(key)};
}

/// Columns id, debit, credit, amount, currency, kind, reference.
transfer as_transfer(const pqxx::row& row) {
  return {as_uuid(row[0]),
          as_uuid(row[1]),
          as_uuid(row[2]),
          row[3].as<std::int64_t>(),
          static_cast<currency>(row[4].as<int>()),
          static_cast<transfer_kind>(row[5].as<int>()),
          as_uuid(row[6])};
}

error too_many() { return {errc::invalid, "too many keys in one read"}; }

/// What activation_events_max cut off: a long journal takes longer, and keeps nobody else waiting.
void read_rest(pqxx::nontransaction& work, activation& into) {
  for (;;) {
    const auto rows = work.exec(
        "select seq, at, payload from journal where kind = $1 and entity = $2 and seq > $3 order "
        "by seq limit $4",
        pqxx::params{number(into.entity.kind), into.entity.key.to_string(), into.head,
                     events_page_max});
    for (const auto& row : rows)
      into.events.push_back({row[0].as<std::uint64_t>(), row[1].as<millis>(), as_bytes(row[2])});
    if (!into.events.empty()) into.head = into.events.back().seq;
    if (rows.size() < static_cast<int>(events_page_max)) return;
  }
}

/// One row per snapshot (at is null), per event after it, and per count of attempts (at -1), by
/// seq.
/// @param first the column of at, before seq and payload
void add_row(activation& answer, const pqxx::row& row, int first) {
  const auto at = row[first], payload = row[first + 2];
  const auto seq = row[first + 1].as<std::uint64_t>();
  if (!at.is_null() && at.as<millis>() < 0) {  // no event
    answer.attempts = static_cast<std::uint32_t>(seq);
    return;
  }
  if (at.is_null()) {
    answer.snapshot = as_bytes(payload);
    answer.snapshot_seq = seq;
  } else {
    answer.events.push_back({seq, at.as<millis>(), as_bytes(payload)});
  }
  answer.head = seq;
}

}  // namespace

/// The general form below is planned for every partition, each time: 1.8 ms against 0.5 ms here,
/// where the planner sees the key.
result<std::vector<activation>> pg_reader::activate_one(const entity_id& who) {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select null::bigint as at, seq, payload from snapshot where kind = $1::smallint and "
        "entity = $2::uuid "
        "union all "
        "(select at, seq, payload from journal where kind = $1::smallint and entity = $2::uuid and "
        "seq > coalesce((select seq from snapshot where kind = $1::smallint and entity = "
        "$2::uuid), 0) order by seq limit $3) "
        "union all "
        "select -1, loads + holds, null from attempt where kind = $1::smallint and entity = "
        "$2::uuid order by 2, 1 nulls first",
        pqxx::params{number(who.kind), who.key.to_string(), activation_events_max});
    std::vector<activation> answer(1);
    answer[0].entity = who;
    for (const auto& row : rows) add_row(answer[0], row, 0);
    if (answer[0].events.size() >= activation_events_max) read_rest(work, answer[0]);
    return answer;
  });
}

result<std::vector<activation>> pg_reader::activate(std::span<const entity_id> entities) {
  if (entities.size() > read_keys_max) return too_many();
  if (entities.size() == 1) return activate_one(entities.front());
  const auto kinds =
      array_literal(entities, [](const entity_id& e) { return std::to_string(number(e.kind)); });
  const auto keys = array_literal(entities, [](const entity_id& e) { return e.key.to_string(); });
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    // Rows as add_row() reads them. Without a snapshot the journal is read from its first row.
    const auto rows = work.exec(
        "with e as materialized (select * from unnest($1::smallint[], $2::uuid[]) with ordinality "
        "as e (kind, entity, i)), "
        "s as materialized (select e.i, e.kind, e.entity, s.seq, s.payload from e left join "
        "lateral "
        "(select seq, payload from snapshot x where x.kind = e.kind and x.entity = e.entity limit "
        "1) s on true) "
        "select i, null::bigint as at, seq, payload from s where seq is not null "
        "union all "
        "select s.i, j.at, j.seq, j.payload from s cross join lateral (select at, seq, payload "
        "from journal x "
        "where x.kind = s.kind and x.entity = s.entity and x.seq > coalesce(s.seq, 0) order by "
        "x.seq limit $3) j "
        "union all "
        "select e.i, -1, a.loads + a.holds, null from e join attempt a using (kind, entity) "
        "order by 1, 3, 2 nulls first",
        pqxx::params{kinds, keys, activation_events_max});
    std::vector<activation> answers(entities.size());
    for (std::size_t i = 0; i < entities.size(); ++i) answers[i].entity = entities[i];
    for (const auto& row : rows) add_row(answers.at(row[0].as<std::size_t>() - 1), row, 1);
    for (auto& answer : answers)
      if (answer.events.size() >= activation_events_max) read_rest(work, answer);
    return answers;
  });
}

result<std::vector<journal_event>> pg_reader::events(const entity_id& entity, std::uint64_t after,
                                                     std::uint32_t limit) {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select seq, at, payload from journal where kind = $1 and entity = $2 and seq > $3 order "
        "by seq limit $4",
        pqxx::params{number(entity.kind), entity.key.to_string(), after,
                     std::min(limit, events_page_max)});
    std::vector<journal_event> events;
    for (const auto& row : rows)
      events.push_back({row[0].as<std::uint64_t>(), row[1].as<millis>(), as_bytes(row[2])});
    return events;
  });
}

result<std::vector<balance>> pg_reader::balances(std::span<const account_id> accounts) {
  if (accounts.size() > read_keys_max) return too_many();
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select a.id, a.balance, a.version, a.closed from unnest($1::uuid[]) with ordinality as w "
        "(id, i) join account a on a.id = w.id "
        "order by w.i",
        pqxx::params{array_literal(accounts, id_text)});
    std::vector<balance> answers;
    for (const auto& row : rows)
      answers.push_back({as_uuid(row[0]), row[1].as<std::int64_t>(), row[2].as<std::uint64_t>(),
                         row[3].as<bool>()});
    return answers;
  });
}

result<std::vector<transfer>> pg_reader::transfers(std::span<const uuid> ids) {
  if (ids.size() > read_keys_max) return too_many();
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select t.id, t.debit, t.credit, t.amount, t.currency, t.kind, t.reference "
        "from unnest($1::uuid[]) with ordinality as w (id, i) join transfer t on t.id = w.id order "
        "by w.i",
        pqxx::params{array_literal(ids, id_text)});
    std::vector<transfer> answers;
    for (const auto& row : rows) answers.push_back(as_transfer(row));
    return answers;
  });
}

result<std::vector<transfer>> pg_reader::transfers_of(const account_id& account,
                                                      const uuid& reference) {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    // Ids are made in or after the millisecond of what they pay for (rule A1), so the search begins
    // there, without an index of its own: what moves a match's money has a derived id, and those
    // lie in exactly that millisecond.
    const auto rows = work.exec(
        "select id, debit, credit, amount, currency, kind, reference from transfer "
        "where id >= id_at($3::bigint) and id < id_at($3::bigint + 1) and reference = $2 "
        "and (debit = $1 or credit = $1) "
        "order by id",
        pqxx::params{account.to_string(), reference.to_string(), reference.time()});
    std::vector<transfer> answers;
    for (const auto& row : rows) answers.push_back(as_transfer(row));
    return answers;
  });
}

result<std::vector<wake_row>> pg_reader::wakes(std::uint32_t shard_first, std::uint32_t shard_last,
                                               millis until, std::uint32_t limit,
                                               const wake_row* after) {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select w.kind, w.entity, w.at, coalesce(a.loads + a.holds, 0) from wake w left join "
        "attempt a on a.kind = w.kind and a.entity = w.entity where w.shard between $1 and $2 and "
        "w.at <= $3 and (w.at, w.kind, w.entity) > ($5, $6, $7) order by w.at, w.kind, w.entity "
        "limit $4",
        pqxx::params{shard_first, shard_last, until, std::min(limit, rows_max),
                     after != nullptr ? after->at : INT64_MIN,
                     after != nullptr ? number(after->entity.kind) : 0,
                     id_text(after != nullptr ? after->entity.key : uuid{})});
    std::vector<wake_row> answers;
    for (const auto& row : rows)
      answers.push_back(
          {as_entity(row[0], row[1]), row[2].as<millis>(), row[3].as<std::uint32_t>()});
    return answers;
  });
}

result<std::vector<incident>> pg_reader::incidents(std::uint32_t limit, const incident* before) {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "select id, at, kind, entity, what, detail from incident where (at, id) < ($2, $3) order "
        "by "
        "at desc, id desc limit $1",
        pqxx::params{std::min(limit, rows_max), before != nullptr ? before->at : INT64_MAX,
                     id_text(before != nullptr ? before->id : uuid{})});
    std::vector<incident> answers;
    for (const auto& row : rows)
      answers.push_back({as_uuid(row[0]), row[1].as<millis>(), as_entity(row[2], row[3]),
                         row[4].as<std::string>(), row[5].as<std::string>()});
    return answers;
  });
}

result<millis> pg_reader::now() {
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    return work.exec("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
        .one_field()
        .as<millis>();
  });
}

}  // namespace baraza::storage::postgres
