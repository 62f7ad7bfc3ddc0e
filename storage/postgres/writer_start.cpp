// A writer's connection: which server it has met, whether that one still has what it acknowledged,
// and the fence row (rules A3, A4 and A8).
#include "storage/postgres/connect.hpp"
#include "storage/postgres/writer.hpp"

namespace baraza::storage::postgres {

status pg_writer::start() {
  heads_.forget_all();
  for (const auto part :
       {&pg_writer::connect, &pg_writer::check_server, &pg_writer::check_last_acknowledged,
        &pg_writer::take_fence, &pg_writer::prepare, &pg_writer::read_epochs})
    if (auto result = (this->*part)(); !result) {
      session_.close();
      return result;
    }
  return done{};
}

status pg_writer::connect() {
  if (const auto why = session_.connect(url_); !why.empty()) return error{errc::unavailable, why};
  // The planner may not choose: with its generic plan fixed to index lookups in the order of the
  // sorted arrays, rows are locked in key order (rule A6) however small or badly counted a table
  // is.
  static constexpr const char* settings =
      "select set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false), "
      "set_config('idle_in_transaction_session_timeout', $3, false), "
      "set_config('client_connection_check_interval', $4, false), "
      "set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', "
      "false), "
      "set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), "
      "set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', "
      "false), "
      "set_config('enable_memoize', 'off', false), set_config('random_page_cost', '0.1', false), "
      "set_config('default_transaction_isolation', 'read committed', false)";
  const auto answer =
      session_.query(settings,
                     {std::to_string(times_.statement.count()), std::to_string(times_.lock.count()),
                      std::to_string(idle_in_transaction_ms), std::to_string(connection_check_ms)},
                     times_.statement);
  return answer ? status{done{}} : failure(answer, "session settings");
}

status pg_writer::check_server() {
  const auto found = session_.query(server_memory::question, {}, times_.statement);
  if (!found) return failure(found, "server check");
  auto why = server_->meet(found.text(0, 0) == "t", std::string{found.text(0, 1)},
                           std::string{found.text(0, 2)});
  if (why.code != errc::none) return why;
  if (allow_loss_) return done{};
  const auto answer = session_.query(
      "select current_setting('synchronous_commit') in ('off', 'local') or current_setting('fsync')"
      " = 'off', current_setting('synchronous_standby_names') = '' and exists (select from "
      "pg_stat_replication where coalesce(state, 'streaming') in ('streaming', 'catchup'))",
      {}, times_.statement);
  if (!answer) return failure(answer, "durability check");
  if (answer.text(0, 0) == "t")
    return error{errc::incompatible,
                 "the server may lose commits (synchronous_commit or fsync is off); allow_loss "
                 "accepts that"};
  if (answer.text(0, 1) == "t")
    return error{
        errc::incompatible,
        "a standby replicates asynchronously: set synchronous_standby_names, or allow_loss"};
  return done{};
}

status pg_writer::take_fence() {
  // Waits for whatever our earlier connection still runs there, and makes void what of it has not
  // yet arrived (rule A4).
  const auto answer = session_.query(
      "update fence set generation = generation + 1 where incarnation = $1 and writer = $2 and "
      "open returning generation",
      {bigint(key_.incarnation), std::to_string(key_.index)}, times_.commit_deadline);
  if (!answer) return failure(answer, "fence row");
  // What is found afterwards counts as durable, so this must be: a standby that has it has all that
  // was committed before it.
  if (answer.warned) return error{errc::unavailable, "fence row: the server warned at commit"};
  if (answer.size() == 0) return why_no_fence();
  key_.generation = std::stoull(std::string{answer.text(0, 0)});
  return done{};
}

/// Closed for good, or it was never there: rows of fences stay for ever.
error pg_writer::why_no_fence() {
  const auto row =
      session_.query("select from fence where incarnation = $1 and writer = $2",
                     {bigint(key_.incarnation), std::to_string(key_.index)}, times_.statement);
  if (row && row.size() == 0)
    return {errc::rolled_back, "the store went back in time: it does not know incarnation " +
                                   bigint(key_.incarnation)};
  return {errc::fenced, "this incarnation is fenced off"};
}

status pg_writer::check_last_acknowledged() {
  if (!last_) return done{};
  const auto answer = session_.query(
      "select 1 from journal where kind = $1 and entity = $2 and seq = $3 and incarnation = $4 and "
      "writer = $5 and batch = $6",
      {std::to_string(static_cast<int>(last_->entity.kind)), last_->entity.key.to_string(),
       bigint(last_->seq), bigint(last_->id.incarnation), std::to_string(last_->id.writer),
       bigint(last_->id.number)},
      times_.statement);
  if (!answer) return failure(answer, "last acknowledged batch");
  if (answer.size() == 0)
    return error{errc::rolled_back, "the store went back in time: acknowledged batch " +
                                        std::to_string(last_->id.number) + " is gone"};
  return done{};
}

status pg_writer::prepare() {
  for (const bool full : {false, true}) {
    const std::string text{commit_sql(full)};
    const auto answer =
        session_.prepare(commit_names[full ? 1 : 0], text.c_str(), times_.statement);
    if (!answer)
      return error{class_of(answer.sqlstate),
                   "the commit statement does not fit the store: " + answer.message};
  }
  if (const auto why = partitions_.load(session_, times_.statement); !why.empty())
    return error{errc::unavailable, why};
  return done{};
}

}  // namespace baraza::storage::postgres
