#include "storage/postgres/membership.hpp"

#include <algorithm>

#include "storage/postgres/connect.hpp"
#include "storage/postgres/limits.hpp"
#include "storage/postgres/transact.hpp"

// Locks are taken in one order everywhere: fence rows, leases, the view, members, shards. Whoever
// holds the view row is the only one to change members or shards.
namespace baraza::storage::postgres {
namespace {

constexpr std::chrono::milliseconds statement_limit{membership_timeout_ms};
// The store's clock; now() would stand still inside a transaction that waited.
#define STORE_NOW "(extract(epoch from clock_timestamp()) * 1000)::bigint"
#define LIVING "status in ('joining', 'up', 'draining')"

template <class Range, class ToNumber>
std::string numbers(const Range& range, ToNumber number) {
  return array_literal(range, [&](const auto& x) { return bigint(number(x)); });
}
std::string numbers(std::span<const std::uint64_t> range) {
  return numbers(range, [](auto x) { return x; });
}

member_status status_of(std::string_view text) {
  for (auto s : {member_status::joining, member_status::up, member_status::draining,
                 member_status::left, member_status::dead})
    if (to_string(s) == text) return s;
  throw pqxx::conversion_error{"not a member's status"};
}

[[noreturn]] void fence_off(std::uint64_t who) {
  throw refused{{errc::fenced, "incarnation " + bigint(who) + " is not a living member"}};
}

std::uint64_t lock_view(pqxx::work& work) {
  return work.exec("select version from cluster_view for update").one_field().as<std::uint64_t>();
}
void raise_view(pqxx::work& work) {
  work.exec(
      "with v as (update cluster_view set version = version + 1 returning version) "
      "select pg_notify('baraza_view', version::text) from v");
}
/// With the view locked: what it says stays true until the commit.
member_status require_living(pqxx::work& work, std::uint64_t who) {
  const auto row =
      work.exec("select status from node where incarnation = $1 and " LIVING, pqxx::params{who});
  if (row.empty()) fence_off(who);
  return status_of(row[0][0].view());
}

std::vector<shard_row> shards_where(pqxx::transaction_base& work, const std::string& ids) {
  std::vector<shard_row> rows;
  const auto found = work.exec(
      "select id, coalesce(owner, 0), epoch, coalesce(next_owner, 0), since from shard "
      "where $1 = '' or id = any($1::integer[]) order by id",
      pqxx::params{ids});
  rows.reserve(static_cast<std::size_t>(found.size()));
  for (const auto& row : found)
    rows.push_back({row[0].as<shard_id>(), row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>(),
                    row[3].as<std::uint64_t>(), row[4].as<millis>()});
  return rows;
}

cluster_state read_state(pqxx::transaction_base& work, std::uint64_t known) {
  cluster_state state;
  const auto view =
      work.exec("select version, level, " STORE_NOW ", case when c.expires_at >= " STORE_NOW
                " then coalesce(c.incarnation, 0) else 0 end, c.epoch "
                "from cluster_view, coordinator c");
  const auto first = view.one_row();
  state.version = first[0].as<std::uint64_t>();
  state.level = first[1].as<std::uint16_t>();
  state.now = first[2].as<millis>();
  state.coordinator = first[3].as<std::uint64_t>();
  state.coordinator_epoch = first[4].as<std::uint64_t>();
  for (const auto& row :
       work.exec("select n.incarnation, name, address, roles, zone, weight, level, status, "
                 "coalesce(renewed_at, 0), coalesce(expires_at, 0), version from node n left join "
                 "lease l using "
                 "(incarnation) where " LIVING " order by n.incarnation"))
    state.members.push_back({row[0].as<std::uint64_t>(), row[1].as<std::string>(),
                             row[2].as<std::string>(), row[3].as<std::string>(),
                             row[4].as<std::string>(), row[5].as<std::uint32_t>(),
                             row[6].as<std::uint16_t>(), status_of(row[7].view()),
                             row[8].as<millis>(), row[9].as<millis>(), row[10].as<std::string>()});
  for (const auto& row :
       work.exec("select accuser, accused, kind, at from vote order by accused, accuser"))
    state.votes.push_back({row[0].as<std::uint64_t>(), row[1].as<std::uint64_t>(),
                           static_cast<vote_kind>(row[2].as<int>()), row[3].as<millis>()});
  if (state.version != known) state.shards = shards_where(work, "");
  return state;
}

class pg_membership final : public membership_store {
 public:
  explicit pg_membership(const std::string& url)
      : db_{url, "baraza-membership", statement_limit},
        killer_{url, "baraza-membership-2", statement_limit} {}

  result<std::string> identity() override {
    return db_.repeatable([&](pqxx::connection& connection) {
      pqxx::nontransaction work{connection};
      return work
          .exec("select system_identifier || '/' || current_database() from pg_control_system()")
          .one_field()
          .as<std::string>();
    });
  }

  result<node_grant> join(const member_registration& node) override {
    if (node.name.empty() || node.writers == 0 || node.writers > writers_max || node.shards == 0 ||
        node.shards > shards_max)
      return error{errc::invalid, "a node needs a name, 1 to 64 writers and 1 to 65536 shards"};
    return transact(db_, [&](pqxx::work& work) { return enrol(work, node); });
  }

  result<renewal> renew(std::uint64_t incarnation, millis lease) override {
    auto answer = db_.repeatable([&](pqxx::connection& connection) {
      pqxx::nontransaction work{connection};
      const auto row = work.exec(
          "update lease l set expires_at = t.at + $2, renewed_at = t.at "
          "from node n, cluster_view v, (select " STORE_NOW
          " as at) t where l.incarnation = $1 and n.incarnation = $1 and " LIVING
          " returning t.at, v.version, v.level, n.status, pg_backend_pid()",
          pqxx::params{incarnation, lease});
      std::optional<renewal> done;
      if (!row.empty())
        done = {row[0][0].as<millis>(), row[0][1].as<std::uint64_t>(),
                row[0][2].as<std::uint16_t>(), status_of(row[0][3].view()),
                row[0][4].as<std::uint64_t>()};
      return done;
    });
    if (!answer) return answer.why();
    if (!*answer) return error{errc::fenced, "this incarnation is not a living member"};
    return **answer;
  }

  result<cluster_state> read(std::uint64_t known) override {
    return db_.repeatable([&](pqxx::connection& connection) {
      pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::write_policy::read_only> work{
          connection};
      return read_state(work, known);
    });
  }

  status set_status(std::uint64_t incarnation, member_status to) override {
    return transact(db_, [&](pqxx::work& work) {
      if (to == member_status::left) close_fences(work, {&incarnation, 1});
      lock_view(work);
      const auto from = require_living(work, incarnation);
      const bool allowed = to == member_status::up || to == member_status::left ||
                           (to == member_status::draining && from != member_status::joining);
      if (!allowed)
        throw refused{{errc::invalid, "a member that is " + std::string{to_string(from)} +
                                          " cannot become " + std::string{to_string(to)}}};
      if (to == member_status::left &&
          !work.exec("select from shard where owner = $1 limit 1", pqxx::params{incarnation})
               .empty())
        throw refused{{errc::invalid, "the node still owns shards"}};
      work.exec("update node set status = $2 where incarnation = $1",
                pqxx::params{incarnation, std::string{to_string(to)}});
      raise_view(work);
      return done{};
    });
  }

  result<cluster_state> accuse(std::uint64_t accuser, std::uint64_t accused,
                               vote_kind kind) override {
    // The vote is there for all before the others' votes are counted: two that vote in the same
    // moment and count first would each see its own only, and nobody would declare.
    const auto voted = transact(db_, [&](pqxx::work& work) {
      const auto rows = work.exec(
          "insert into vote (accuser, accused, kind, at) select $1, $2, $3, " STORE_NOW
          " from node where incarnation = $1 and status in ('up', 'draining') "
          "on conflict (accuser, accused) do update set kind = excluded.kind, at = excluded.at",
          pqxx::params{accuser, accused, static_cast<int>(kind)});
      if (rows.affected_rows() == 0) fence_off(accuser);
      return done{};
    });
    if (!voted) return voted.why();
    return read(0);
  }

  status withdraw(std::uint64_t accuser, std::uint64_t accused) override {
    return db_.repeatable([&](pqxx::connection& connection) {
      pqxx::nontransaction work{connection};
      work.exec("delete from vote where accuser = $1 and accused = $2",
                pqxx::params{accuser, accused});
      return done{};
    });
  }

  result<bool> declare_dead(std::uint64_t declarer, std::uint64_t version,
                            std::span<const std::uint64_t> dead,
                            std::span<const shard_change> changes) override;
  result<std::vector<shard_row>> take(std::uint64_t incarnation,
                                      std::span<const shard_change> free) override;
  result<std::vector<shard_row>> release(std::uint64_t incarnation,
                                         std::span<const shard_change> owned) override;

  result<std::uint64_t> coordinate(std::uint64_t incarnation, millis lease) override {
    return db_.repeatable([&](pqxx::connection& connection) {
      pqxx::nontransaction work{connection};
      const auto row = work.exec(
          "update coordinator c set incarnation = $1, expires_at = t.at + $2, epoch = epoch + "
          "case when c.incarnation is distinct from $1 or c.expires_at < t.at then 1 else 0 end "
          "from (select " STORE_NOW
          " as at) t where exists (select from node where incarnation = $1 and status = 'up') "
          "and (c.incarnation is not distinct from $1 or c.expires_at < t.at or not exists "
          // One that drains asks no more: balance must not wait for the end of its lease.
          "(select from node n where n.incarnation = c.incarnation and n.status = 'up')) "
          "returning c.epoch",
          pqxx::params{incarnation, lease});
      return row.empty() ? std::uint64_t{0} : row[0][0].as<std::uint64_t>();
    });
  }

 private:
  static node_grant enrol(pqxx::work& work, const member_registration& node);
  static void close_fences(pqxx::work& work, std::span<const std::uint64_t> who) {
    work.exec(
        "with f as materialized (select incarnation, writer from fence where incarnation = "
        "any($1::bigint[]) and open order by incarnation, writer for no key update) "
        "update fence x set open = false from f where x.incarnation = f.incarnation and x.writer "
        "= f.writer",
        pqxx::params{numbers(who)});
    work.exec("delete from lease where incarnation = any($1::bigint[])",
              pqxx::params{numbers(who)});
  }
  static bool bury(pqxx::work& work, std::uint64_t declarer, std::uint64_t version,
                   std::span<const std::uint64_t> dead, std::span<const shard_change> changes);
  void end_connections_of(std::span<const std::uint64_t> dead);

  database db_;
  database killer_;  // ends connections while db_ waits for them
};

node_grant pg_membership::enrol(pqxx::work& work, const member_registration& node) {
  lock_view(work);
  fix_shards(work, node.shards);
  const auto same = work.exec("select incarnation from node where name = $1 and " LIVING,
                              pqxx::params{node.name});
  if (!same.empty())
    throw refused{{errc::exists, "the name " + node.name + " belongs to incarnation " +
                                     same[0][0].as<std::string>()}};
  node_grant grant;
  grant.store_time = work.exec("select " STORE_NOW).one_field().as<millis>();
  grant.node = uuid::v7(grant.store_time);
  grant.incarnation =
      work.exec(
              "insert into node (id, name, address, roles, zone, weight, level, version, status, "
              "joined_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 'joining', $9) returning "
              "incarnation",
              pqxx::params{grant.node.to_string(), node.name, node.address, node.roles, node.zone,
                           node.weight, node.level, BARAZA_VERSION, grant.store_time})
          .one_field()
          .as<std::uint64_t>();
  work.exec("insert into lease (incarnation, expires_at, renewed_at) values ($1, $2, $3)",
            pqxx::params{grant.incarnation, grant.store_time + node.lease, grant.store_time});
  work.exec(
      "insert into fence (incarnation, writer, open) select $1, w, true from generate_series(0, $2 "
      "- 1) w",
      pqxx::params{grant.incarnation, static_cast<int>(node.writers)});
  work.exec(
      "insert into shard (id, epoch, phase, since) select s, 0, 'free', $2 from generate_series(0, "
      "$1 - 1) s on conflict (id) do nothing",
      pqxx::params{static_cast<int>(node.shards), grant.store_time});
  raise_view(work);
  return grant;
}

bool pg_membership::bury(pqxx::work& work, std::uint64_t declarer, std::uint64_t version,
                         std::span<const std::uint64_t> dead,
                         std::span<const shard_change> changes) {
  work.exec("set local lock_timeout = " + std::to_string(death_lock_timeout_ms));
  close_fences(work, dead);
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

result<std::vector<shard_row>> pg_membership::take(std::uint64_t incarnation,
                                                   std::span<const shard_change> free) {
  const auto ids = numbers(free, [](const auto& c) { return c.shard; });
  return transact(db_, [&](pqxx::work& work) {
    lock_view(work);
    if (require_living(work, incarnation) == member_status::joining) fence_off(incarnation);
    const auto taken = work.exec(
        "update shard s set owner = $1, epoch = s.epoch + 1, phase = 'owned', next_owner = null, "
        "since = " STORE_NOW
        " from unnest($2::integer[], $3::bigint[]) as a (id, epoch) "
        "where s.id = a.id and s.epoch = a.epoch and s.owner is null",
        pqxx::params{incarnation, ids, numbers(free, [](const auto& c) { return c.epoch; })});
    if (taken.affected_rows() > 0) raise_view(work);
    return shards_where(work, ids);
  });
}

result<std::vector<shard_row>> pg_membership::release(std::uint64_t incarnation,
                                                      std::span<const shard_change> owned) {
  const auto ids = numbers(owned, [](const auto& c) { return c.shard; });
  return transact(db_, [&](pqxx::work& work) {
    const auto fences = work.exec(
        "with f as materialized (select writer from fence where incarnation = $1 and open order by "
        "writer for no key update) update fence x set generation = generation + 1 from f "
        "where x.incarnation = $1 and x.writer = f.writer",
        pqxx::params{incarnation});
    if (fences.affected_rows() == 0) fence_off(incarnation);
    lock_view(work);
    const auto freed = work.exec(
        "update shard s set owner = null, phase = 'free', next_owner = nullif(a.next_owner, 0), "
        "since = " STORE_NOW
        " from unnest($2::integer[], $3::bigint[], $4::bigint[]) as a (id, epoch, next_owner) "
        "where s.id = a.id and s.epoch = a.epoch and s.owner = $1",
        pqxx::params{incarnation, ids, numbers(owned, [](const auto& c) { return c.epoch; }),
                     numbers(owned, [](const auto& c) { return c.to; })});
    if (freed.affected_rows() > 0) raise_view(work);
    return shards_where(work, ids);
  });
}

}  // namespace

std::unique_ptr<membership_store> make_membership(const std::string& url) {
  return std::make_unique<pg_membership>(url);
}

}  // namespace baraza::storage::postgres
