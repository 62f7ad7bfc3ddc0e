#include <span>

#include "storage/embedded/shared.hpp"
#include "storage/migrations.hpp"

namespace baraza::storage::embedded {
namespace {

constexpr int first_with_log = 2;  // the migration that made the commit log

bool is_empty(connection& db) {
  statement find{db.handle(),
                 "SELECT 1 FROM sqlite_schema WHERE type='table' AND name='schema_state'"};
  return !find.run().step();
}

void record(connection& db, int schema, int oldest_level) {
  statement put{db.handle(),
                "INSERT OR REPLACE INTO schema_state(only,schema,oldest_level) VALUES(1,?,?)"};
  put.exec(schema, oldest_level);
}

void insert_system_accounts(connection& db) {
  statement put{
      db.handle(),
      "INSERT INTO account(id,balance,version,kind,currency,closed,owner) VALUES(?,0,1,?,?,0,?)"};
  for (const auto& account : system_accounts())
    put.exec(account.id, static_cast<int>(account.kind), static_cast<int>(account.money),
             account.owner);
}

void step_up(connection& db, const migration& m) {
  transaction change{db, access::write};
  db.exec(std::string{m.up}.c_str());
  if (m.number == 1) insert_system_accounts(db);
  record(db, m.number, m.oldest_level);
  change.commit();
}

void step_down(connection& db, const migration& m, int oldest_level) {
  // The schema below knows no log: what is in it goes into the tables first.
  if (m.number == first_with_log) commit_log{db, merge_at_bytes_default}.merge_all();
  transaction change{db, access::write};
  db.exec(std::string{m.down}.c_str());
  record(db, m.number - 1, oldest_level);
  change.commit();
}

}  // namespace

migration_state read_schema(connection& db) {
  migration_state state;
  state.newest = schema_newest;
  if (is_empty(db)) return state;
  statement read{db.handle(), "SELECT schema,oldest_level FROM schema_state"};
  if (!read.run().step()) return state;
  state.schema = static_cast<int>(read.integer(0));
  state.oldest_level = static_cast<int>(read.integer(1));
  return state;
}

void change_schema(connection& db, int target) {
  const auto all = migrations();
  if (target < 0 || target > static_cast<int>(all.size()))
    throw failure{errc::invalid,
                  "this binary knows the schemas 0 to " + std::to_string(all.size())};
  db.exec(
      "CREATE TABLE IF NOT EXISTS schema_state(only INTEGER PRIMARY KEY, schema INTEGER NOT NULL,"
      " oldest_level INTEGER NOT NULL)");
  auto state = read_schema(db);
  if (state.schema > static_cast<int>(all.size()))
    throw failure{errc::incompatible,
                  "the store's schema " + std::to_string(state.schema) +
                      " is newer than this binary: migrate it with the binary that made it"};
  for (int at = state.schema; at < target; ++at) step_up(db, all[static_cast<std::size_t>(at)]);
  for (int at = state.schema; at > target; --at) {
    const auto& below = all[static_cast<std::size_t>(at >= 2 ? at - 2 : 0)];
    step_down(db, all[static_cast<std::size_t>(at - 1)], at >= 2 ? below.oldest_level : 0);
  }
}

void require_schema(connection& db) {
  const auto state = read_schema(db);
  if (state.schema == 0)
    throw failure{errc::incompatible,
                  "the store is empty: run `baraza migrate up` (`baraza serve` does it by itself)"};
  if (state.schema < schema_newest)
    throw failure{errc::incompatible, "the store's schema is " + std::to_string(state.schema) +
                                          ", this binary needs " + std::to_string(schema_newest) +
                                          ": run `baraza migrate up`"};
  if (state.oldest_level > schema_newest)
    throw failure{errc::incompatible, "the store needs a binary of level " +
                                          std::to_string(state.oldest_level) + ", this one is " +
                                          std::to_string(schema_newest) + ": upgrade it"};
}

}  // namespace baraza::storage::embedded
