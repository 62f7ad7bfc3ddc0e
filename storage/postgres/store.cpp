#include "storage/postgres/store.hpp"

#include "storage/checks.hpp"
#include "storage/identity.hpp"
#include "storage/limits.hpp"
#include "storage/postgres/connect.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/identity.hpp"
#include "storage/postgres/membership.hpp"
#include "storage/postgres/membership_rows.hpp"
#include "storage/postgres/reader.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/transact.hpp"
#include "storage/postgres/verify.hpp"
#include "storage/postgres/writer.hpp"

namespace baraza::storage::postgres {
namespace {

constexpr std::chrono::milliseconds administration{administration_timeout_ms};
constexpr int lease_ms = 5'000;

/// These incarnations are over: waits for the commits in flight and fails all later ones.
void close_incarnations(pqxx::work& work, const std::string& incarnations, const char* status) {
  close_fences(work, incarnations);
  lock_view(work);
  work.exec("update node set status = $2 where incarnation = any($1::bigint[]) and " LIVING,
            pqxx::params{incarnations, status});
}

}  // namespace

void require_not_rolled_back(pqxx::work& work, bool allow_loss) {
  if (allow_loss) {
    work.exec("update incident set what = $2 where what = $1",
              pqxx::params{incident_rolled_back, incident_loss_accepted});
    return;
  }
  const auto found =
      work.exec("select detail from incident where what = $1 order by at desc limit 1",
                pqxx::params{incident_rolled_back});
  if (!found.empty())
    throw refused{{errc::incompatible,
                   "this store has forgotten what it acknowledged (" +
                       found[0][0].as<std::string>() +
                       "): bring back a server that has it, or accept the loss by starting one "
                       "node with storage.allow_loss = true"}};
}

void fix_shards(pqxx::work& work, std::uint32_t shards) {
  const auto fixed =
      work.exec("update store_settings set shards = coalesce(shards, $1) returning shards",
                pqxx::params{shards});
  const auto count = fixed.one_field().as<std::uint32_t>();
  if (count != shards)
    throw refused{{errc::incompatible,
                   "the store was created with cluster.shards = " + std::to_string(count) +
                       ", not " + std::to_string(shards)}};
}

void require_level(pqxx::work& work, std::uint16_t own) {
  const auto level = work.exec("select level from cluster_view").one_field().as<std::uint16_t>();
  if (own < level)
    throw refused{{errc::incompatible, "what the store holds was written at level " +
                                           std::to_string(level) +
                                           ", and this binary is of level " + std::to_string(own) +
                                           ": start a newer one"}};
}

namespace {

node_grant enrol(pqxx::work& work, const node_registration& node, bool allow_loss) {
  work.exec("select version from cluster_view for update");  // one change of the cluster at a time
  require_level(work, node.level);
  require_not_rolled_back(work, allow_loss);
  fix_shards(work, node.shards);
  // Whoever held the name or a shard is over: a shard changes hands only with its owner's death
  // (rule B4).
  const auto previous = work.exec(
      "select coalesce(array_agg(incarnation order by incarnation), '{}')::text from node "
      "where (name = $1 and status not in ('left', 'dead')) "
      "or incarnation in (select owner from shard where owner is not null)",
      pqxx::params{node.name});
  const auto over = previous.one_field().as<std::string>();
  const auto died =
      work.exec(
              "select coalesce(array_agg(distinct incarnation), '{}')::text from fence "
              "where open and incarnation = any($1::bigint[])",
              pqxx::params{over})
          .one_field()
          .as<std::string>();  // not those that left and closed their rows themselves
  close_incarnations(work, over, "dead");
  node_grant grant;
  const auto now = work.exec("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
                       .one_field()
                       .as<millis>();
  grant.store_time = now;
  grant.node = uuid::v7(now);
  grant.incarnation =
      work.exec(
              "insert into node (id, name, address, roles, level, version, status, joined_at) "
              "values ($1, $2, $3, $4, $5, $6, 'up', $7) returning incarnation",
              pqxx::params{grant.node.to_string(), node.name, node.address, node.roles, node.level,
                           BARAZA_VERSION, now})
          .one_field()
          .as<std::uint64_t>();
  work.exec("insert into lease (incarnation, expires_at) values ($1, $2)",
            pqxx::params{grant.incarnation, now + lease_ms});
  work.exec(
      "insert into fence (incarnation, writer, open) select $1, w, true from generate_series(0, $2 "
      "- 1) w",
      pqxx::params{grant.incarnation, static_cast<int>(node.writers)});
  // All others are over: nobody is left who could not read what this binary writes.
  work.exec("update cluster_view set version = version + 1, level = $1", pqxx::params{node.level});
  grant.predecessor_died = died != "{}";
  grant.epoch =
      work.exec("select coalesce(max(epoch), 0) + 1 from shard").one_field().as<std::uint64_t>();
  work.exec(
      "insert into shard (id, owner, epoch, phase) select s, $1, $2, 'owned' from "
      "generate_series(0, $3 - 1) s "
      "on conflict (id) do update set owner = excluded.owner, epoch = excluded.epoch, phase = "
      "'owned', next_owner = null",
      pqxx::params{grant.incarnation, grant.epoch, static_cast<int>(node.shards)});
  return grant;
}

}  // namespace

pg_store::pg_store(std::string url, const open_options& options, const timing& times)
    : url_{std::move(url)},
      options_{options},
      times_{times},
      server_{options.read_only ? nullptr : std::make_shared<server_memory>()},
      attempts_{url_, "baraza-attempts", times_.statement, server_} {}

result<std::unique_ptr<writer>> pg_store::open_writer(const node_grant& node, std::uint16_t index) {
  if (options_.read_only) return error{errc::invalid, "the store was opened read-only"};
  auto made = std::make_unique<pg_writer>(url_, writer_key{node.incarnation, index, 0},
                                          options_.allow_loss, times_, server_);
  if (auto ready = made->start(); !ready) return ready.why();
  return std::unique_ptr<writer>{std::move(made)};
}

result<std::unique_ptr<reader>> pg_store::open_reader() {
  auto state = migrations();
  if (!state) return state.why();
  if (auto why = schema_fault(*state); why.code != errc::none) return why;
  return std::unique_ptr<reader>{std::make_unique<pg_reader>(url_, times_, server_)};
}

std::unique_ptr<identity_store> pg_store::open_identity() {
  return make_identity(url_, times_, server_);
}

result<std::unique_ptr<membership_store>> pg_store::open_membership() {
  if (options_.read_only) return error{errc::invalid, "the store was opened read-only"};
  auto state = migrations();
  if (!state) return state.why();
  if (auto why = schema_fault(*state); why.code != errc::none) return why;
  return std::unique_ptr<membership_store>{
      std::make_unique<pg_membership>(url_, options_.allow_loss, server_)};
}

result<node_grant> pg_store::join(const node_registration& node) {
  if (options_.read_only) return error{errc::invalid, "the store was opened read-only"};
  if (node.name.empty() || node.writers == 0 || node.writers > writers_max || node.shards == 0 ||
      node.shards > shards_max)
    return error{errc::invalid, "a node needs a name, 1 to 64 writers and 1 to 65536 shards"};
  database db{url_, "baraza-join", administration, server_};
  auto state = db.once([](pqxx::connection& connection) { return read_schema(connection); });
  if (!state) return state.why();
  if (auto why = schema_fault(*state); why.code != errc::none) return why;
  return transact(db, [&](pqxx::work& work) { return enrol(work, node, options_.allow_loss); });
}

status pg_store::claim_key(std::string_view fingerprint) {
  if (options_.read_only) return error{errc::invalid, "the store was opened read-only"};
  if (auto why = check_fingerprint(fingerprint); why.code != errc::none) return why;
  database db{url_, "baraza-key", administration, server_};
  const auto kept = db.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    return work
        .exec(
            "update store_settings set key_fingerprint = coalesce(key_fingerprint, $1) returning "
            "key_fingerprint",
            pqxx::params{std::string{fingerprint}})
        .one_field()
        .as<std::string>();
  });
  if (!kept) return kept.why();
  if (*kept != fingerprint) return other_key();
  return done{};
}

status pg_store::fence(std::uint64_t incarnation) {
  database db{url_, "baraza-fence", administration, server_};
  return transact(db, [&](pqxx::work& work) {
    const auto who = "{" + bigint(incarnation) + "}";
    close_incarnations(work, who, "left");
    // Nobody is declared dead who has left, so what it still owned would be nobody's for ever.
    work.exec("update shard set owner = null, phase = 'free', next_owner = null, since = " STORE_NOW
              " where owner = any($1::bigint[])",
              pqxx::params{who});
    raise_view(work);
    return done{};
  });
}

status pg_store::record_incident(const incident& what) {
  database db{url_, "baraza-incident", times_.statement, server_};
  // The id makes a repeat harmless, so a lost connection is simply tried again.
  auto answer = db.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    work.exec(
        "insert into incident (id, at, kind, entity, what, detail) values ($1, $2, $3, $4, $5, $6) "
        "on conflict do nothing",
        pqxx::params{what.id.to_string(), what.at, static_cast<int>(what.entity.kind),
                     what.entity.key.to_string(), what.kind, what.detail});
    return done{};
  });
  return answer;
}

/// @param sql takes the entities as `e (kind, entity)` from $1 and $2
status pg_store::for_each(std::span<const entity_id> entities, const char* sql) {
  if (entities.size() > read_keys_max) return error{errc::invalid, "too many entities in a call"};
  // Nobody waits for another's call: a watchdog about to end the process could wait for ever.
  if (const std::unique_lock own{attempts_busy_, std::try_to_lock})
    return for_each(attempts_, entities, sql);
  database other{url_, "baraza-attempts", times_.statement, server_};
  return for_each(other, entities, sql);
}

status pg_store::for_each(database& db, std::span<const entity_id> entities, const char* sql) {
  // A repeat counts an attempt twice at worst, and only if the connection broke right then.
  return db.repeatable([&](pqxx::connection& connection) {
    pqxx::nontransaction work{connection};
    work.exec("with e as (select * from unnest($1::smallint[], $2::uuid[]) as e (kind, entity)) " +
                  std::string{sql},
              pqxx::params{
                  array_literal(
                      entities,
                      [](const entity_id& e) { return std::to_string(static_cast<int>(e.kind)); }),
                  array_literal(entities, [](const entity_id& e) { return e.key.to_string(); })});
    return done{};
  });
}

/// A hold takes one load back: that of the same life, which ends in it before it was forgotten.
status pg_store::count_attempt(std::span<const entity_id> entities, strike what) {
  return for_each(
      entities, what == strike::load
                    ? "insert into attempt as a (kind, entity, loads) select kind, entity, 1 from "
                      "e on conflict (kind, entity) do update set loads = a.loads + 1"
                    : "insert into attempt as a (kind, entity, holds) select kind, entity, 1 from "
                      "e on conflict (kind, entity) do update set holds = a.holds + 1, "
                      "loads = greatest(a.loads - 1, 0)");
}

status pg_store::forget_attempts(std::span<const entity_id> entities, strike up_to) {
  return for_each(
      entities,
      up_to == strike::hold
          ? "delete from attempt a using e where a.kind = e.kind and a.entity = e.entity"
          : ", kept as (update attempt a set loads = 0 from e where a.kind = e.kind and a.entity = "
            "e.entity and a.holds > 0) delete from attempt a using e where a.kind = e.kind and "
            "a.entity = e.entity and a.holds = 0");
}

status pg_store::maintain(millis now) {
  database db{url_, "baraza-maintain", administration, server_};
  auto answer = db.repeatable([&](pqxx::connection& connection) {
    pqxx::work work{connection};
    work.exec("select attach_partitions($1, 0, 2)", pqxx::params{now});
    work.commit();
    return done{};
  });
  return answer;
}

result<migration_state> pg_store::migrations() {
  database db{url_, "baraza-migrate", times_.statement, server_};
  return db.repeatable([](pqxx::connection& connection) { return read_schema(connection); });
}

status pg_store::migrate(int target) {
  if (options_.read_only) return error{errc::invalid, "the store was opened read-only"};
  if (target < 0 || target > schema_newest)
    return error{errc::invalid,
                 "this binary knows the schemas 0 to " + std::to_string(schema_newest)};
  database db{url_, "baraza-migrate", administration, server_};
  auto answer = db.once([&](pqxx::connection& connection) {
    change_schema(connection, target);
    return done{};
  });
  return answer;
}

result<verify_report> pg_store::verify() { return verify_ledger(url_); }

result<std::unique_ptr<store>> open(std::string_view url, const open_options& options,
                                    const timing& times) {
  auto made = std::make_unique<pg_store>(std::string{url}, options, times);
  if (auto answers = made->migrations(); !answers) return answers.why();
  return std::unique_ptr<store>{std::move(made)};
}

}  // namespace baraza::storage::postgres
