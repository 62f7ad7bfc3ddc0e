// Measures writer::apply alone on a private PostgreSQL with fsync on: durable transfers, each with
// its journal event, between two of 100,000 accounts; beside the naive way on the same server.
// Usage: bench_postgres_writer [SECONDS]
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "storage/postgres/naive_bench.hpp"
#include "storage/postgres/postgres.hpp"
#include "tests/integration/postgres_server.hpp"

namespace {

using namespace baraza;
using clock_type = std::chrono::steady_clock;

constexpr int accounts = 100'000;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench_postgres_writer: %s\n", why.c_str());
  std::exit(1);
}
template <class T>
T must(storage::result<T> value) {
  if (!value) fail(value.why().message);
  return std::move(*value);
}

millis now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Wallets of one writer: entity → writer by position, as the gate does by hash.
struct wallets {
  std::vector<uuid> players;
  std::vector<storage::account_id> accounts;
  std::vector<std::uint64_t> seqs;
};

wallets open_wallets(storage::writer& writer, const storage::node_grant& node) {
  wallets all;
  std::uint64_t number = 0;
  for (int first = 0; first < accounts; first += 1000) {
    std::vector<storage::commit> commits(1000);
    storage::batch batch{{node.incarnation, 0, ++number}, {}};
    for (auto& c : commits) {
      all.players.push_back(uuid::v4());
      const auto& player = all.players.back();
      all.accounts.push_back(storage::player_account(player, storage::currency::demo));
      all.seqs.push_back(1);
      c.entity = {entity_kind::wallet, player};
      c.shard = shard_of(c.entity, 1024);
      c.epoch = node.epoch;
      c.events = {"opened"};
      c.opens = {
          {all.accounts.back(), storage::account_kind::player, storage::currency::demo, player}};
      c.transfers = {
          {uuid::v7(now()),
           storage::system_account(storage::account_kind::bonus, storage::currency::demo, 0),
           all.accounts.back(), 1'000'000'000, storage::currency::demo,
           storage::transfer_kind::grant, player}};
      batch.members.push_back(&c);
    }
    const auto answer = writer.apply(batch);
    if (answer.code != storage::errc::none) fail(answer.detail);
    for (const auto& member : answer.members)
      if (member.code != storage::errc::none) fail(member.detail);
  }
  return all;
}

double backend_cpu_s(const std::string& pids) {
  double total = 0;
  for (std::size_t at = 0; at < pids.size();) {
    const auto end = std::min(pids.find(',', at), pids.size());
    std::ifstream file{"/proc/" + pids.substr(at, end - at) + "/stat"};
    std::string word;
    for (int i = 0; i < 13; ++i) file >> word;
    double user = 0, system = 0;
    file >> user >> system;
    total += (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
    at = end + 1;
  }
  return total;
}
double own_cpu_s() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void measure(storage::store& store, const tests::postgres_server& server,
             const std::string& database, const storage::node_grant& node, wallets& all,
             int writers, std::size_t members, double seconds) {
  static std::atomic<std::uint64_t> number = 1'000'000;
  std::vector<std::unique_ptr<storage::writer>> open;
  for (int w = 0; w < writers; ++w)
    open.push_back(must(store.open_writer(node, static_cast<std::uint16_t>(w))));
  const auto pids = server.sql(database,
                               "select string_agg(pid::text, ',') from pg_stat_activity where "
                               "application_name like 'baraza-%-w%'");
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> done = 0;
  const double backend_before = backend_cpu_s(pids), own_before = own_cpu_s();
  const auto started = clock_type::now();
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      std::mt19937 random{std::random_device{}()};
      std::vector<storage::commit> commits(members);
      std::vector<std::size_t> picks(members);
      const auto size = all.players.size();
      while (!stop) {
        storage::batch batch{{node.incarnation, static_cast<std::uint16_t>(w), ++number}, {}};
        // Different wallets of this writer's share: a random start and a step that is coprime to
        // the count.
        for (auto& p : picks)
          p = random() % size / static_cast<std::size_t>(writers) *
                  static_cast<std::size_t>(writers) +
              static_cast<std::size_t>(w);
        std::ranges::sort(picks);
        const auto repeated = std::ranges::unique(picks);
        const auto count = static_cast<std::size_t>(repeated.begin() - picks.begin());
        const auto time = now();
        for (std::size_t i = 0; i < count; ++i) {
          auto& c = commits[i];
          const auto from = picks[i];
          auto to = random() % size;
          if (to == from) to = (to + 1) % size;
          c.entity = {entity_kind::wallet, all.players[from]};
          c.shard = shard_of(c.entity, 1024);
          c.epoch = node.epoch;
          c.expected_seq = all.seqs[from];
          c.events = {std::string(60, 'e')};
          c.transfers = {{uuid::v7(time), all.accounts[from], all.accounts[to], 5,
                          storage::currency::demo, storage::transfer_kind::buy_in,
                          all.players[to]}};
          batch.members.push_back(&c);
        }
        const auto answer = open[static_cast<std::size_t>(w)]->apply(batch);
        if (answer.code != storage::errc::none) fail(answer.detail);
        for (std::size_t i = 0; i < count; ++i) {
          if (answer.members[i].code != storage::errc::none) fail(answer.members[i].detail);
          ++all.seqs[picks[i]];
        }
        done += count;
      }
    });
  std::this_thread::sleep_for(std::chrono::duration<double>{
      seconds});  // polls: nothing, it lets the writers run for the time asked
  stop = true;
  for (auto& thread : threads) thread.join();
  const double elapsed = std::chrono::duration<double>(clock_type::now() - started).count();
  const auto total = static_cast<double>(done);
  std::printf(
      "%d writer%s, batches of %4zu: %7.0f transfers/s; CPU per transfer: backend %.1f us, client "
      "%.1f us\n",
      writers, writers == 1 ? " " : "s", members, total / elapsed,
      (backend_cpu_s(pids) - backend_before) / total * 1e6,
      (own_cpu_s() - own_before) / total * 1e6);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  tests::postgres_server server;
  const auto database = server.create_database();
  auto store = must(storage::postgres::open(server.url(database), {}));
  must(store->migrate(storage::schema_newest));
  const auto node =
      must(store->join({.name = "bench", .address = "local", .roles = "game", .writers = 2}));
  auto first = must(store->open_writer(node, 0));
  auto all = open_wallets(*first, node);
  first.reset();
  server.sql(database, "vacuum analyze account");
  server.sql(database, "checkpoint");
  for (const int writers : {1, 2})
    for (const std::size_t members : {100, 500, 1000})
      measure(*store, server, database, node, all, writers, members, seconds);
  if (auto report = must(store->verify()); !report.clean) fail(report.first_violation);
  const int connections[] = {8, 16, 32};
  const auto naive =
      must(storage::postgres::run_naive(server.url(database), accounts, seconds, connections));
  std::printf("naive: %.0f transfers/s on %d connections; one statement each: %.0f on %d\n",
              naive.naive_per_s, naive.naive_connections, naive.single_statement_per_s,
              naive.single_statement_connections);
}
