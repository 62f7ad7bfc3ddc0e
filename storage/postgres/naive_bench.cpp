#include "storage/postgres/naive_bench.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <pqxx/pqxx>
#include <random>
#include <thread>
#include <vector>

#include "storage/postgres/connect.hpp"
#include "storage/postgres/database.hpp"

namespace baraza::storage::postgres {
namespace {

using clock = std::chrono::steady_clock;
constexpr int connections_max = 64;

enum class way { naive, single_statement };

void prepare_tables(pqxx::connection& connection, int accounts) {
  pqxx::work work{connection};
  work.exec("drop schema if exists naive_bench cascade");
  work.exec("create schema naive_bench");
  work.exec(
      "create table naive_bench.account (id bigint primary key, balance bigint not null) with "
      "(fillfactor = 50)");
  work.exec(
      "create table naive_bench.transfer (id uuid primary key, debit bigint not null, credit "
      "bigint not null, "
      "amount bigint not null, at timestamptz not null default now())");
  work.exec("insert into naive_bench.account select g, 1000000000 from generate_series(1, $1) g",
            pqxx::params{accounts});
  work.commit();
  pqxx::nontransaction direct{connection};
  direct.exec("vacuum analyze naive_bench.account");
}

void prepare_statements(pqxx::connection& connection) {
  connection.prepare("begin", "begin");
  connection.prepare(
      "put",
      "insert into naive_bench.transfer (id, debit, credit, amount) values ($1, $2, $3, $4)");
  connection.prepare("add", "update naive_bench.account set balance = balance + $2 where id = $1");
  connection.prepare("commit", "commit");
  connection.prepare(
      "all",
      "with t as (insert into naive_bench.transfer (id, debit, credit, amount) values ($1, $2, $3, "
      "$4)), "
      "x as (select * from (values ($2::bigint, -$4::bigint), ($3, $4)) v (id, delta) order by id) "
      "update naive_bench.account a set balance = balance + x.delta from x where a.id = x.id");
}

void transfer_once(pqxx::nontransaction& work, way how, int debit, int credit, millis now) {
  constexpr std::int64_t amount = 5;
  const auto id = uuid::v7(now).to_string();
  if (how == way::single_statement) {
    work.exec(pqxx::prepped{"all"}, pqxx::params{id, debit, credit, amount});
    return;
  }
  work.exec(pqxx::prepped{"begin"});
  work.exec(pqxx::prepped{"put"}, pqxx::params{id, debit, credit, amount});
  work.exec(pqxx::prepped{"add"},
            pqxx::params{std::min(debit, credit), debit < credit ? -amount : amount});
  work.exec(pqxx::prepped{"add"},
            pqxx::params{std::max(debit, credit), debit < credit ? amount : -amount});
  work.exec(pqxx::prepped{"commit"});
}

/// One connection's share: transfers until `stop`. @returns how many
std::uint64_t run_one(pqxx::connection& connection, way how, int accounts,
                      const std::atomic<bool>& stop) {
  std::minstd_rand random{std::random_device{}()};
  std::uniform_int_distribution<int> pick{1, accounts};
  pqxx::nontransaction work{connection};
  std::uint64_t count = 0;
  for (; !stop; ++count) {
    const int debit = pick(random);
    int credit = pick(random);
    if (credit == debit) credit = debit % accounts + 1;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    transfer_once(work, how, debit, credit, now.count());
  }
  return count;
}

double measure(const std::string& url, way how, int accounts, double seconds, int connections) {
  std::vector<std::unique_ptr<pqxx::connection>> open;
  for (int i = 0; i < connections; ++i) {
    open.push_back(std::make_unique<pqxx::connection>(url));
    prepare_statements(*open.back());
  }
  std::atomic<bool> stop = false;
  std::vector<std::uint64_t> counts(open.size());
  std::vector<std::string> failures(open.size());
  std::vector<std::thread> threads;
  const auto started = clock::now();
  for (std::size_t i = 0; i < open.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        counts[i] = run_one(*open[i], how, accounts, stop);
      } catch (const std::exception& why) {
        failures[i] = why.what();
      }
    });
  std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
  stop = true;
  for (auto& thread : threads) thread.join();
  const double elapsed = std::chrono::duration<double>(clock::now() - started).count();
  for (const auto& why : failures)
    if (!why.empty()) throw pqxx::failure{why};
  std::uint64_t total = 0;
  for (const auto count : counts) total += count;
  return static_cast<double>(total) / elapsed;
}

}  // namespace

result<naive_result> run_naive(const std::string& url, int accounts, double seconds,
                               std::span<const int> connections) {
  const auto possible = [](int n) { return n > 0 && n <= connections_max; };
  if (accounts < 2 || seconds <= 0 || connections.empty() ||
      !std::ranges::all_of(connections, possible))
    return error{errc::invalid,
                 "at least 2 accounts, some seconds and 1 to 64 connections are needed"};
  try {
    const auto limited_url = limited(url, "baraza-naive-bench");
    pqxx::connection owner{limited_url};
    prepare_tables(owner, accounts);
    naive_result best;
    for (const int n : connections) {
      if (const auto rate = measure(limited_url, way::naive, accounts, seconds, n);
          rate > best.naive_per_s) {
        best.naive_per_s = rate;
        best.naive_connections = n;
      }
      if (const auto rate = measure(limited_url, way::single_statement, accounts, seconds, n);
          rate > best.single_statement_per_s) {
        best.single_statement_per_s = rate;
        best.single_statement_connections = n;
      }
    }
    pqxx::nontransaction work{owner};
    work.exec("drop schema naive_bench cascade");
    return best;
  } catch (...) {
    return current_error();
  }
}

}  // namespace baraza::storage::postgres
