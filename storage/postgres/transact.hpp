// One transaction that may be left with an error of ours.
#pragma once

#include <optional>

#include "storage/postgres/database.hpp"

namespace baraza::storage::postgres {

struct refused {  // leaves a transaction with an error of ours; rolls it back
  error why;
};

/// Runs `change` in one transaction; the exception `refused` becomes its error.
template <class Change>
auto transact(database& db, Change change) -> result<std::invoke_result_t<Change, pqxx::work&>> {
  std::optional<error> why;
  auto answer = db.once([&](pqxx::connection& connection)
                            -> std::optional<std::invoke_result_t<Change, pqxx::work&>> {
    pqxx::work work{connection};
    try {
      auto value = change(work);
      work.commit();
      return value;
    } catch (const refused& no) {
      why = no.why;
      return std::nullopt;
    }
  });
  if (!answer) return answer.why();
  if (why) return *why;
  return std::move(**answer);
}

/// Sets the count of shards on a new store. Throws `refused` (incompatible) on one with another.
void fix_shards(pqxx::work& work, std::uint32_t shards);
/// Throws `refused` (incompatible) if the cluster's level is above `own`. With the view locked, no
/// newer binary raises it meanwhile.
void require_level(pqxx::work& work, std::uint16_t own);
/// Throws `refused` (incompatible) if somebody has found this store to have forgotten what it
/// acknowledged. `allow_loss` accepts that, for all who come later, and leaves it on record.
void require_not_rolled_back(pqxx::work& work, bool allow_loss);

}  // namespace baraza::storage::postgres
