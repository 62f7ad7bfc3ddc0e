// Shards change hands, and the dead lose theirs.
#include "storage/postgres/membership.hpp"
#include "storage/postgres/membership_rows.hpp"

namespace baraza::storage::postgres {
namespace {

/// `changed` (an update that returns rows), and a new version of the view if it changed anything.
std::string with_news(const std::string& changed) {
  return "with t as (" + changed +
         ") update cluster_view set version = version + 1 where exists (select from t); ";
}

}  // namespace

bool pg_membership::bury(pqxx::work& work, std::uint64_t declarer, std::uint64_t version,
                         std::span<const std::uint64_t> dead,
                         std::span<const shard_change> changes) {
  work.exec("set local lock_timeout = " + std::to_string(death_lock_timeout_ms));
  close_fences(work, numbers(dead));
  if (lock_view(work) != version) return false;
  if (declarer != 0) require_living(work, declarer);
  const auto who = numbers(dead);
  work.exec("update node set status = 'dead' where incarnation = any($1::bigint[]) and " LIVING,
            pqxx::params{who});
  work.exec("delete from vote where accuser = any($1::bigint[]) or accused = any($1::bigint[])",
            pqxx::params{who});
  const auto changed = work.exec(
      "update shard s set owner = nullif(a.owner, 0), epoch = s.epoch + least(a.owner, 1), "
      "phase = case when a.owner = 0 then 'free' else 'owned' end, next_owner = null, since "
      "= " STORE_NOW
      " from unnest($2::integer[], $3::bigint[], $4::bigint[]) as a (id, epoch, owner) "
      "where s.id = a.id and s.epoch = a.epoch and (s.owner is null or s.owner = "
      "any($1::bigint[]))",
      pqxx::params{who, numbers(changes, [](const auto& c) { return c.shard; }),
                   numbers(changes, [](const auto& c) { return c.epoch; }),
                   numbers(changes, [](const auto& c) { return c.to; })});
  const auto left =
      work.exec("select from shard where owner = any($1::bigint[]) limit 1", pqxx::params{who});
  if (static_cast<std::size_t>(changed.affected_rows()) != changes.size() || !left.empty())
    throw refused{{errc::invalid, "the new owners do not fit the shards of the dead"}};
  raise_view(work);
  return true;
}

result<bool> pg_membership::declare_dead(std::uint64_t declarer, std::uint64_t version,
                                         std::span<const std::uint64_t> dead,
                                         std::span<const shard_change> changes) {
  for (int attempt = 0;; ++attempt) {
    // A false answer must leave nothing behind either: the fence rows were closed before the look.
    auto answer = transact(db_, [&](pqxx::work& work) {
      if (!bury(work, declarer, version, dead, changes))
        throw refused{{errc::stale_epoch, "the view has changed"}};
      return true;
    });
    if (answer) return answer;
    if (answer.why().code == errc::stale_epoch) return false;
    if (answer.why().code != errc::unavailable || attempt == 2) return answer.why();
    end_connections_of(dead);  // a commit that hangs holds its fence row
  }
}

void pg_membership::end_connections_of(std::span<const std::uint64_t> dead) {
  // Should it fail, the caller's next attempt meets the lock again and says so.
  (void)killer_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    for (const auto who : dead)
      work.exec(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = "
          "current_database() and application_name like $1",
          pqxx::params{"baraza-" + bigint(who) + "-w%"});
    return done{};
  });
}

/// A planned move waits for this twice, so each is one round trip: statements sent together are
/// one transaction, and each sees all that was there when the one before had its locks.
/// @param is_allowed a condition; if it does not hold, `statements` must have changed nothing
result<std::vector<shard_row>> pg_membership::change_shards(std::uint64_t incarnation,
                                                            const std::string& statements,
                                                            const std::string& is_allowed,
                                                            const std::string& ids) {
  const auto sql = statements + "select l.ok, " SHARD_COLUMNS " from (select " + is_allowed +
                   " as ok) l left join shard s on s.id = any('" + ids +
                   "'::integer[]) order by s.id";
  bool ok = false;
  auto rows = db_.once([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    std::vector<shard_row> found;
    for (const auto& row : work.exec(sql)) {
      ok = row[0].as<bool>();
      if (!row[1].is_null()) found.push_back(shard_of_row(row, 1));
    }
    return found;
  });
  if (rows && !ok) return not_living(incarnation);
  return rows;
}

result<std::vector<shard_row>> pg_membership::take(std::uint64_t incarnation,
                                                   std::span<const shard_change> free) {
  const auto ids = numbers(free, [](const auto& c) { return c.shard; });
  const auto self = bigint(incarnation);
  const auto is_up =
      "exists (select from node where incarnation = " + self + " and status in ('up', 'draining'))";
  return change_shards(
      incarnation,
      "select from cluster_view for update; " +
          with_news("update shard s set owner = " + self +
                    ", epoch = s.epoch + 1, phase = 'owned', next_owner = null, since = " STORE_NOW
                    " from unnest('" +
                    ids + "'::integer[], '" + numbers(free, [](const auto& c) { return c.epoch; }) +
                    "'::bigint[]) as a (id, epoch) where s.id = a.id and s.epoch = a.epoch and "
                    "s.owner is null and " +
                    is_up + " returning s.id"),
      is_up, ids);
}

result<std::vector<shard_row>> pg_membership::release(std::uint64_t incarnation,
                                                      std::span<const shard_change> owned) {
  const auto ids = numbers(owned, [](const auto& c) { return c.shard; });
  const auto self = bigint(incarnation);
  const auto is_open = "exists (select from fence where incarnation = " + self + " and open)";
  return change_shards(
      incarnation,
      "with f as materialized (select writer from fence where incarnation = " + self +
          " and open order by writer for no key update) update fence x set generation = "
          "generation + 1 from f where x.incarnation = " +
          self + " and x.writer = f.writer; select from cluster_view for update; " +
          with_news(
              "update shard s set owner = n.incarnation, "
              "epoch = s.epoch + (n.incarnation is not null)::integer, "
              "phase = case when n.incarnation is null then 'free' else 'owned' end, "
              "next_owner = case when n.incarnation is null then nullif(a.next_owner, 0) end, "
              "since = " STORE_NOW " from unnest('" +
              ids + "'::integer[], '" + numbers(owned, [](const auto& c) { return c.epoch; }) +
              "'::bigint[], '" + numbers(owned, [](const auto& c) { return c.to; }) +
              "'::bigint[]) as a (id, epoch, next_owner) left join (select incarnation from node "
              "join lease using (incarnation) where status = 'up' and weight > 0 and expires_at "
              "> " STORE_NOW ") n on n.incarnation = a.next_owner where s.id = a.id and s.epoch = "
              "a.epoch and s.owner = " +
              self + " and " + is_open + " returning s.id"),
      is_open, ids);
}

}  // namespace baraza::storage::postgres
