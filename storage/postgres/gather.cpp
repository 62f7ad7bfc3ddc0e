#include "storage/postgres/gather.hpp"

#include <algorithm>
#include <charconv>

#include "storage/postgres/connect.hpp"

namespace baraza::storage::postgres {
namespace {

template <class Number>
Number number(std::string_view text) {
  std::int64_t value =
      0;  // the server's bigint is signed; unsigned numbers of ours come back by the cast
  std::from_chars(text.data(), text.data() + text.size(), value);
  return static_cast<Number>(value);
}

uuid key(std::string_view text) { return uuid::parse(text).value_or(uuid{}); }

std::string id_text(const uuid& id) { return id.to_string(); }

std::string gather_transfers(session& from, const batch& work, const indexes& members,
                             std::chrono::milliseconds limit, facts& known) {
  std::vector<uuid> ids;
  for (const auto index : members)
    for (const auto& t : work.members[index]->transfers) ids.push_back(t.id);
  if (ids.empty()) return {};
  const auto rows = from.query(
      "select id, debit, credit, amount, currency, kind, reference from transfer where id = "
      "any($1::uuid[])",
      {array_literal(ids, id_text)}, limit);
  if (!rows) return "transfers: " + rows.message;
  for (int i = 0; i < rows.size(); ++i)
    known.transfers[key(rows.text(i, 0))] = {
        key(rows.text(i, 0)),
        key(rows.text(i, 1)),
        key(rows.text(i, 2)),
        number<std::int64_t>(rows.text(i, 3)),
        static_cast<currency>(number<int>(rows.text(i, 4))),
        static_cast<transfer_kind>(number<int>(rows.text(i, 5))),
        key(rows.text(i, 6))};
  return {};
}

std::string gather_epochs(session& from, const batch& work, const indexes& members,
                          std::uint64_t incarnation, std::chrono::milliseconds limit,
                          facts& known) {
  const auto rows = from.query(
      "select id, epoch from shard where owner = $2 and id = any($1::integer[])",
      {array_literal(members,
                     [&](std::size_t i) { return std::to_string(work.members[i]->shard); }),
       std::to_string(incarnation)},
      limit);
  if (!rows) return "shards: " + rows.message;
  for (int i = 0; i < rows.size(); ++i)
    known.epochs[number<shard_id>(rows.text(i, 0))] = number<std::uint64_t>(rows.text(i, 1));
  return {};
}

}  // namespace

std::vector<account_id> accounts_of(const commit& member) {
  std::vector<account_id> ids = member.closes;
  for (const auto& open : member.opens) ids.push_back(open.id);
  for (const auto& t : member.transfers) {
    ids.push_back(t.debit);
    ids.push_back(t.credit);
  }
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
  return ids;
}

std::string gather_accounts(session& from, const batch& work, const indexes& members,
                            std::chrono::milliseconds limit, facts& known) {
  std::vector<account_id> ids;
  for (const auto index : members)
    for (const auto& id : accounts_of(*work.members[index])) ids.push_back(id);
  if (ids.empty()) return {};
  const auto rows = from.query(
      "select id, balance, version, kind, currency, owner, closed from account where id = "
      "any($1::uuid[])",
      {array_literal(ids, id_text)}, limit);
  if (!rows) return "accounts: " + rows.message;
  for (int i = 0; i < rows.size(); ++i)
    known.accounts[key(rows.text(i, 0))] = {number<std::int64_t>(rows.text(i, 1)),
                                            number<std::uint64_t>(rows.text(i, 2)),
                                            static_cast<account_kind>(number<int>(rows.text(i, 3))),
                                            static_cast<currency>(number<int>(rows.text(i, 4))),
                                            key(rows.text(i, 5)),
                                            rows.text(i, 6) == "t"};
  return {};
}

std::string gather_heads(session& from, const batch& work, const indexes& members,
                         std::chrono::milliseconds limit, facts& known) {
  const auto column = [&](auto value) {
    return array_literal(members, [&](std::size_t i) { return value(*work.members[i]); });
  };
  const auto rows = from.query(
      "select e.kind, e.entity, h.seq, n.incarnation, n.writer, n.batch "
      "from unnest($1::smallint[], $2::uuid[], $3::bigint[]) as e (kind, entity, expected) "
      "left join lateral (select seq from journal x where x.kind = e.kind and x.entity = e.entity "
      "order by seq desc limit 1) h on true "
      "left join journal n on n.kind = e.kind and n.entity = e.entity and n.seq = e.expected + 1",
      {column([](const commit& c) { return std::to_string(static_cast<int>(c.entity.kind)); }),
       column([](const commit& c) { return c.entity.key.to_string(); }),
       column([](const commit& c) { return std::to_string(c.expected_seq); })},
      limit);
  if (!rows) return "journals: " + rows.message;
  for (int i = 0; i < rows.size(); ++i) {
    head_fact fact;
    if (!rows.is_null(i, 2)) fact.head = number<std::uint64_t>(rows.text(i, 2));
    if (!rows.is_null(i, 3))
      fact.next_row =
          batch_id{number<std::uint64_t>(rows.text(i, 3)), number<std::uint16_t>(rows.text(i, 4)),
                   number<std::uint64_t>(rows.text(i, 5))};
    known.heads[{static_cast<entity_kind>(number<int>(rows.text(i, 0))), key(rows.text(i, 1))}] =
        fact;
  }
  return {};
}

std::string gather(session& from, const batch& work, const indexes& members,
                   std::uint64_t incarnation, std::chrono::milliseconds limit, facts& known) {
  if (auto why = gather_heads(from, work, members, limit, known); !why.empty()) return why;
  if (auto why = gather_epochs(from, work, members, incarnation, limit, known); !why.empty())
    return why;
  if (auto why = gather_transfers(from, work, members, limit, known); !why.empty()) return why;
  return gather_accounts(from, work, members, limit, known);
}

}  // namespace baraza::storage::postgres
