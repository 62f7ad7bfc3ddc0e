// The rows of members and shards, for the transactions that change them.
//
// Locks are taken in one order everywhere: fence rows, leases, the view, members, shards. Whoever
// holds the view row is the only one to change members or shards.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "storage/membership.hpp"
#include "storage/postgres/connect.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/transact.hpp"

namespace baraza::storage::postgres {

// The store's clock; now() would stand still inside a transaction that waited.
#define STORE_NOW "(extract(epoch from clock_timestamp()) * 1000)::bigint"
#define LIVING "status in ('joining', 'up', 'draining')"

template <class Range, class ToNumber>
std::string numbers(const Range& range, ToNumber number) {
  return array_literal(range, [&](const auto& x) { return bigint(number(x)); });
}
inline std::string numbers(std::span<const std::uint64_t> range) {
  return numbers(range, [](auto x) { return x; });
}

inline member_status status_of(std::string_view text) {
  for (auto s : {member_status::joining, member_status::up, member_status::draining,
                 member_status::left, member_status::dead})
    if (to_string(s) == text) return s;
  throw pqxx::conversion_error{"not a member's status"};
}

inline error not_living(std::uint64_t who) {
  return {errc::fenced, "incarnation " + bigint(who) + " is not a living member"};
}
[[noreturn]] inline void fence_off(std::uint64_t who) { throw refused{not_living(who)}; }

/// First of all locks: waits for these incarnations' commits in flight, fails all later ones, and
/// ends their leases (rule B1).
/// @param who an array literal
inline void close_fences(pqxx::work& work, const std::string& who) {
  work.exec(
      "with f as materialized (select incarnation, writer from fence where incarnation = "
      "any($1::bigint[]) and open order by incarnation, writer for no key update) "
      "update fence x set open = false from f where x.incarnation = f.incarnation and x.writer "
      "= f.writer",
      pqxx::params{who});
  work.exec("delete from lease where incarnation = any($1::bigint[])", pqxx::params{who});
}
inline std::uint64_t lock_view(pqxx::work& work) {
  return work.exec("select version from cluster_view for update").one_field().as<std::uint64_t>();
}
inline void raise_view(pqxx::work& work) {
  work.exec("update cluster_view set version = version + 1");
}
/// With the view locked: what it says stays true until the commit.
inline member_status require_living(pqxx::work& work, std::uint64_t who) {
  const auto row =
      work.exec("select status from node where incarnation = $1 and " LIVING, pqxx::params{who});
  if (row.empty()) fence_off(who);
  return status_of(row[0][0].view());
}

#define SHARD_COLUMNS "s.id, coalesce(s.owner, 0), s.epoch, coalesce(s.next_owner, 0), s.since"
/// @param first the column at which SHARD_COLUMNS begin
template <class Row>
shard_row shard_of_row(const Row& row, int first) {
  return {row[first].template as<shard_id>(), row[first + 1].template as<std::uint64_t>(),
          row[first + 2].template as<std::uint64_t>(), row[first + 3].template as<std::uint64_t>(),
          row[first + 4].template as<millis>()};
}

}  // namespace baraza::storage::postgres
