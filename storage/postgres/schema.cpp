#include "storage/postgres/schema.hpp"

#include <stdexcept>

#include "storage/migrations.hpp"
#include "storage/postgres/connect.hpp"

namespace baraza::storage::postgres {
namespace {

constexpr std::int64_t migration_lock =
    0x62617261'7a61;  // "baraza": an advisory lock, so that two processes take turns
constexpr int first_ledger_step = 1;  // creates the accounts that system_accounts() lists

migration_state read_schema(pqxx::transaction_base& work) {
  migration_state state{0, 0, schema_newest};
  if (work.exec("select to_regclass('schema_step') is null").one_field().as<bool>()) return state;
  const auto rows =
      work.exec("select number, oldest_level from schema_step order by number desc limit 1");
  if (!rows.empty()) {
    state.schema = rows[0][0].as<int>();
    state.oldest_level = rows[0][1].as<int>();
  }
  return state;
}

void create_system_accounts(pqxx::work& work) {
  const auto accounts = system_accounts();
  work.exec(
      "insert into account (balance, version, id, owner, opened_at, kind, currency) "
      "select 0, 0, id, '00000000-0000-0000-0000-000000000000', 0, kind, currency "
      "from unnest($1::uuid[], $2::smallint[], $3::smallint[]) as a (id, kind, currency)",
      pqxx::params{array_literal(accounts, [](const account_open& a) { return a.id.to_string(); }),
                   array_literal(accounts,
                                 [](const account_open& a) {
                                   return std::to_string(static_cast<int>(a.kind));
                                 }),
                   array_literal(accounts, [](const account_open& a) {
                     return std::to_string(static_cast<int>(a.money));
                   })});
}

void step_up(pqxx::work& work, const migration& step) {
  work.exec(pqxx::zview{std::string{step.up}});
  if (step.number == first_ledger_step) create_system_accounts(work);
  work.exec("insert into schema_step (number, oldest_level, name) values ($1, $2, $3)",
            pqxx::params{step.number, step.oldest_level, std::string{step.name}});
}

void step_down(pqxx::work& work, const migration& step) {
  work.exec(pqxx::zview{std::string{step.down}});
  work.exec("delete from schema_step where number = $1", pqxx::params{step.number});
  if (step.number == first_ledger_step) work.exec("drop table schema_step");
}

}  // namespace

migration_state read_schema(pqxx::connection& connection) {
  pqxx::nontransaction work{connection};
  return read_schema(work);
}

void change_schema(pqxx::connection& connection, int target) {
  const auto steps = migrations();
  if (target < 0 || target > static_cast<int>(steps.size()))
    throw std::invalid_argument{"this binary knows the schemas 0 to " +
                                std::to_string(steps.size())};
  for (std::size_t round = 0; round <= steps.size(); ++round) {
    pqxx::work work{connection};
    work.exec("select pg_advisory_xact_lock($1)", pqxx::params{migration_lock});
    const auto state = read_schema(work);
    if (state.schema == target) return;
    if (state.schema > static_cast<int>(steps.size()))
      throw std::invalid_argument{"the store has schema " + std::to_string(state.schema) +
                                  ", which this binary does not know"};
    if (state.schema == 0)
      work.exec(
          "create table if not exists schema_step (number integer primary key, oldest_level "
          "integer not null, "
          "name text not null, applied_at timestamptz not null default now())");
    if (state.schema < target)
      step_up(work, steps[static_cast<std::size_t>(state.schema)]);
    else
      step_down(work, steps[static_cast<std::size_t>(state.schema - 1)]);
    work.commit();
  }
}

error schema_fault(const migration_state& state) {
  if (state.schema == 0) return {errc::incompatible, "the store is empty: run `baraza migrate up`"};
  if (state.schema < schema_newest)
    return {errc::incompatible, "the store has schema " + std::to_string(state.schema) +
                                    ", this binary needs " + std::to_string(schema_newest) +
                                    ": run `baraza migrate up`"};
  if (state.oldest_level > schema_newest)
    return {errc::incompatible, "the store is for binaries of level " +
                                    std::to_string(state.oldest_level) +
                                    " and newer: update baraza"};
  return {};
}

}  // namespace baraza::storage::postgres
