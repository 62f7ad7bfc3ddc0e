#include "storage/postgres/membership.hpp"

#include <utility>

#include "storage/postgres/membership_rows.hpp"

namespace baraza::storage::postgres {
namespace {

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
  if (state.version != known)
    for (const auto& row : work.exec("select " SHARD_COLUMNS " from shard s order by s.id"))
      state.shards.push_back(shard_of_row(row, 0));
  return state;
}

}  // namespace

result<std::string> pg_membership::identity() {
  return db_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    return work
        .exec("select system_identifier || '/' || current_database() from pg_control_system()")
        .one_field()
        .as<std::string>();
  });
}

result<node_grant> pg_membership::join(const member_registration& node) {
  if (node.name.empty() || node.writers == 0 || node.writers > writers_max || node.shards == 0 ||
      node.shards > shards_max)
    return error{errc::invalid, "a node needs a name, 1 to 64 writers and 1 to 65536 shards"};
  return transact(db_, [&](pqxx::work& work) { return enrol(work, node); });
}

node_grant pg_membership::enrol(pqxx::work& work, const member_registration& node) const {
  lock_view(work);
  require_level(work, node.level);
  require_not_rolled_back(work, allow_loss_);
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

/// The answers to one object come one after the other, so a view older than one it was told is a
/// store that has forgotten it (rule A8).
error pg_membership::went_back(std::uint64_t version) {
  if (version < seen_version_)
    return {errc::rolled_back, "the store went back in time: its view is " + bigint(version) +
                                   ", it was " + bigint(seen_version_)};
  seen_version_ = version;
  return {};
}

/// Each node has something acknowledged to it each second, even one that commits nothing: its own
/// renewal. `renewed_at` never falls, whatever the clocks of two servers say, so that a lower one
/// is a store that has forgotten.
result<renewal> pg_membership::renew(std::uint64_t incarnation, millis lease) {
  if (std::exchange(renewed_, incarnation) != incarnation) renewed_at_ = 0;
  millis before = 0, after = 0;
  bool is_unknown = false;
  auto answer = db_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    const auto row = work.exec(
        "with old as materialized (select renewed_at as at from lease where incarnation = $1 for "
        "no key update) update lease l set expires_at = t.at + $2, "
        "renewed_at = greatest(t.at, old.at) "
        "from old, node n, cluster_view v, (select " STORE_NOW
        " as at) t where l.incarnation = $1 and n.incarnation = $1 and " LIVING
        " and old.at >= $3 returning t.at, v.version, v.level, n.status, pg_backend_pid(), "
        "l.renewed_at",
        pqxx::params{incarnation, lease, renewed_at_});
    std::optional<renewal> done;
    if (!row.empty()) {
      done = {row[0][0].as<millis>(), row[0][1].as<std::uint64_t>(), row[0][2].as<std::uint16_t>(),
              status_of(row[0][3].view()), row[0][4].as<std::uint64_t>()};
      after = row[0][5].as<millis>();
      return done;
    }
    const auto known = work.exec(
        "select coalesce(l.renewed_at, $2) from node n left join lease l using (incarnation) where "
        "n.incarnation = $1",
        pqxx::params{incarnation, renewed_at_});
    is_unknown = known.empty();  // rows of nodes stay for ever
    before = is_unknown ? 0 : known[0][0].as<millis>();
    return done;
  });
  if (!answer) return answer.why();
  if (*answer) {
    renewed_at_ = after;
    if (auto why = went_back((*answer)->version); why.code != errc::none) return why;
    return **answer;
  }
  if (is_unknown || before < renewed_at_)
    return error{errc::rolled_back,
                 "the store went back in time: " +
                     (is_unknown ? "it does not know incarnation " + bigint(incarnation)
                                 : "an acknowledged renewal is gone")};
  return error{errc::fenced, "this incarnation is not a living member"};
}

result<cluster_state> pg_membership::read(std::uint64_t known) {
  auto state = db_.repeatable([&](pqxx::connection& connection) {
    pqxx::transaction<pqxx::isolation_level::repeatable_read, pqxx::write_policy::read_only> work{
        connection};
    return read_state(work, known);
  });
  if (state)
    if (auto why = went_back(state->version); why.code != errc::none) return why;
  return state;
}

status pg_membership::set_status(std::uint64_t incarnation, member_status to) {
  return transact(db_, [&](pqxx::work& work) {
    if (to == member_status::left) close_fences(work, numbers({&incarnation, 1}));
    lock_view(work);
    const auto from = require_living(work, incarnation);
    const bool allowed = to == member_status::up || to == member_status::left ||
                         (to == member_status::draining && from != member_status::joining);
    if (!allowed)
      throw refused{{errc::invalid, "a member that is " + std::string{to_string(from)} +
                                        " cannot become " + std::string{to_string(to)}}};
    if (to == member_status::left &&
        !work.exec("select from shard where owner = $1 limit 1", pqxx::params{incarnation}).empty())
      throw refused{{errc::invalid, "the node still owns shards"}};
    work.exec("update node set status = $2 where incarnation = $1",
              pqxx::params{incarnation, std::string{to_string(to)}});
    raise_view(work);
    return done{};
  });
}

result<cluster_state> pg_membership::accuse(std::uint64_t accuser, std::uint64_t accused,
                                            vote_kind kind, std::uint64_t known) {
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
  return read(known);
}

status pg_membership::withdraw(std::uint64_t accuser, std::uint64_t accused) {
  return db_.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    work.exec("delete from vote where accuser = $1 and accused = $2",
              pqxx::params{accuser, accused});
    return done{};
  });
}

result<std::uint64_t> pg_membership::coordinate(std::uint64_t incarnation, millis lease) {
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

result<bool> pg_membership::raise_level(std::uint64_t incarnation, std::uint64_t coordinator_epoch,
                                        std::uint16_t level) {
  return transact(db_, [&](pqxx::work& work) {
    lock_view(work);  // who joins comes before or after, and is looked at in either case
    const auto raised = work.exec(
        "update cluster_view set level = $3 where level < $3 "
        "and exists (select from coordinator where incarnation = $1 and epoch = $2) "
        "and not exists (select from node where " LIVING " and level < $3)",
        pqxx::params{incarnation, coordinator_epoch, level});
    if (raised.affected_rows() == 0) return false;
    raise_view(work);
    return true;
  });
}

}  // namespace baraza::storage::postgres
