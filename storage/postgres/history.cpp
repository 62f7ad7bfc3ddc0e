// A player's transfers by page. Credits have an index of their own; debits are found through the
// wallet's journal rows, which name them (column debits), so that a buy-in writes no index entry
// more.
#include <algorithm>

#include "storage/limits.hpp"
#include "storage/postgres/connect.hpp"
#include "storage/postgres/reader.hpp"

namespace baraza::storage::postgres {

result<std::vector<history_row>> pg_reader::history(const uuid& player, currency money,
                                                    std::optional<uuid> before,
                                                    std::uint32_t limit) {
  const auto account = player_account(player, money).to_string();
  const auto page = std::min(limit, history_page_max);
  const auto newest =
      before ? before->to_string() : std::string{"ffffffff-ffff-ffff-ffff-ffffffffffff"};
  return database_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto rows = work.exec(
        "with d as (select substring(j.debits from n * 16 + 1 for 16) as raw from journal j "
        "cross join lateral generate_series(0, length(j.debits) / 16 - 1) n "
        "where j.kind = 1 and j.entity = $2 and j.debits is not null) "
        "select * from ("
        "(select t.id, t.debit, t.credit, t.amount, t.currency, t.kind, t.reference, t.at, true as "
        "incoming from transfer t "
        "where t.credit = $1 and t.kind in (2, 4, 5, 6) and t.id < $3 order by t.id desc limit $4) "
        "union all "
        "(select t.id, t.debit, t.credit, t.amount, t.currency, t.kind, t.reference, t.at, false "
        "from d "
        "join transfer t on t.id = encode(d.raw, 'hex')::uuid where t.debit = $1 and t.id < $3 "
        "order by t.id desc limit $4)) x "
        "order by id desc limit $4",
        pqxx::params{account, player.to_string(), newest, page});
    std::vector<history_row> answers;
    for (const auto& row : rows)
      answers.push_back({{as_uuid(row[0]), as_uuid(row[1]), as_uuid(row[2]),
                          row[3].as<std::int64_t>(), static_cast<currency>(row[4].as<int>()),
                          static_cast<transfer_kind>(row[5].as<int>()), as_uuid(row[6])},
                         row[7].as<millis>(),
                         row[8].as<bool>()});
    return answers;
  });
}

}  // namespace baraza::storage::postgres
