#include "storage/postgres/partitions.hpp"

#include <algorithm>

namespace baraza::storage::postgres {
namespace {

bool covers(const std::vector<std::pair<uuid, uuid>>& ranges, const uuid& id) {
  return std::ranges::any_of(
      ranges, [&](const auto& range) { return range.first <= id && id < range.second; });
}

}  // namespace

std::string partition_map::load(session& from, std::chrono::milliseconds limit) {
  const auto rows = from.query(
      "select p.relname, substring(b.text from 'FROM \\(''([0-9a-f-]+)''\\)'), substring(b.text "
      "from 'TO \\(''([0-9a-f-]+)''\\)') "
      "from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = "
      "i.inhparent "
      "cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as text) b "
      "where p.oid in (to_regclass('transfer'), to_regclass('journal_table'), "
      "to_regclass('journal_tournament'), "
      "to_regclass('journal_payment')) order by 1, 2",
      {}, limit);
  if (!rows) return rows.message.empty() ? "the partitions cannot be read" : rows.message;
  transfers_.clear();
  journals_ = {{entity_kind::table, {}}, {entity_kind::tournament, {}}, {entity_kind::payment, {}}};
  for (int row = 0; row < rows.size(); ++row) {
    const auto first = uuid::parse(rows.text(row, 1)), last = uuid::parse(rows.text(row, 2));
    if (!first || !last) return "a partition's bounds cannot be read";
    const auto parent = rows.text(row, 0);
    auto& target = parent == "transfer"             ? transfers_
                   : parent == "journal_table"      ? journals_[entity_kind::table]
                   : parent == "journal_tournament" ? journals_[entity_kind::tournament]
                                                    : journals_[entity_kind::payment];
    target.emplace_back(*first, *last);
  }
  return {};
}

const uuid* partition_map::misfit(const commit& member) const {
  if (const auto split = journals_.find(member.entity.kind);
      split != journals_.end() && !covers(split->second, member.entity.key))
    return &member.entity.key;
  for (const auto& t : member.transfers)
    if (!covers(transfers_, t.id)) return &t.id;
  return nullptr;
}

}  // namespace baraza::storage::postgres
