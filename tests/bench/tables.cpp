// What a table costs a node: at rest, passivated, and to bring back from its journal.
// usage: bench_tables STORE [TABLES]    STORE: sqlite:FOLDER or postgresql://…, empty
#include <mimalloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <string>

#include "actors/table.hpp"
#include "actors/table_void.hpp"
#include "actors/wallet.hpp"
#include "cluster/node.hpp"
#include "tests/bench/table_driver.hpp"

namespace {

using namespace baraza;
using namespace baraza::tests;
using std::chrono::steady_clock;

double resident_kib() {
  mi_collect(true);
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::strtod(line.c_str() + 6, nullptr);
  return 0;
}

[[noreturn]] void fail(const std::string& why) {
  std::cerr << "bench_tables: " << why << '\n';
  std::exit(1);
}

double since(steady_clock::time_point from) {
  return std::chrono::duration<double>(steady_clock::now() - from).count();
}

/// Plays all matches by the script. @returns seconds
double play(cluster::node& on, std::vector<scripted_match>& matches, const table_script& how) {
  table_tally tally;
  const auto start = steady_clock::now();
  const auto driver = spawn_table_driver(on.system(), on.services(), matches, how, tally);
  on.attach_edge(1, driver);
  std::unique_lock lock{tally.mutex};
  if (!tally.changed.wait_for(lock, std::chrono::minutes{20},
                              [&] { return tally.finished == matches.size(); }))
    fail("only " + std::to_string(tally.finished) + " matches came to their step");
  if (tally.refused != 0) fail(std::to_string(tally.refused) + " requests were refused");
  lock.unlock();
  const double took = since(start);
  caf::anon_send_exit(driver, caf::exit_reason::user_shutdown);
  return took;
}

void wait_until_asleep(cluster::node& on, std::int64_t awake) {
  const auto end = steady_clock::now() + std::chrono::minutes{10};
  while (on.services()->counters.entities > awake) {
    if (steady_clock::now() > end) fail("the tables do not fall asleep");
    std::this_thread::sleep_for(std::chrono::milliseconds{100});  // polls: with a deadline
  }
}

std::vector<scripted_match> matches_of(std::size_t count, std::size_t pairs, millis now) {
  std::mt19937_64 random{7};
  std::vector<uuid> players(pairs * 2);
  for (auto& p : players) p = uuid::v4();
  std::vector<scripted_match> all(count);
  for (std::size_t i = 0; i < count; ++i)
    all[i] = {uuid::v7(now), players[i % pairs * 2], players[i % pairs * 2 + 1], 0, 0};
  return all;
}

void measure(cluster::node& on, std::size_t tables) {
  const auto now = on.services()->clock.now();
  // A few first, so that caches and connections are not counted as the tables'.
  auto warm = matches_of(1'000, 500, now);
  play(on, warm, {.last_step = 3});
  const auto before = resident_kib();
  const auto awake = on.services()->counters.entities.load();
  const auto count = static_cast<double>(tables);
  const auto each = [&] { return (resident_kib() - before) * 1024 / count; };
  // Twice: what an allocator keeps for itself after the first time is used again by the second.
  for (int round = 0; round < 2; ++round) {
    auto resting = matches_of(tables, 1'000, on.services()->clock.now());
    const auto took = play(on, resting, {.last_step = 3});
    std::printf("%zu tables created and ready in %.1f s (%.0f/s); at rest %.0f bytes each\n",
                tables, took, count / took, each());
    std::fflush(stdout);
    resting = {};
    wait_until_asleep(on, awake);  // nobody opened: the clock aborts them, then they may sleep
    std::printf("passivated: %.0f bytes each\n", each());
  }
  auto played = matches_of(10'000, 5'000, on.services()->clock.now());
  play(on, played, {.last_step = 100});
  double events = 0;
  for (const auto& m : played) events += static_cast<double>(m.seq);
  events /= static_cast<double>(played.size());
  wait_until_asleep(on, 0);
  const auto woken = play(on, played, {.window = 1'000, .watch_only = true});
  const auto rate = static_cast<double>(played.size()) / woken;
  std::printf("activation: %.0f tables/s from journals of %.1f events (%.0f events/s)\n", rate,
              events, rate * events);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: bench_tables STORE [TABLES]");
  const std::size_t tables = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100'000;
  auto store = storage::open(argv[1]);
  if (!store) fail(store.why().message);
  if (auto ready = cluster::prepare(**store); !ready) fail(ready.why().message);
  actors::table_options table_options;
  table_options.ready_timeout_ms = 600'000;
  table_options.open_timeout_ms = 120'000;
  actors::wallet_options wallet_options;
  cluster::node_options options;
  options.passivate_after = 3'000;
  options.stop_node = [](std::string_view why) { fail(std::string{why}); };
  options.log = [](cluster::severity s, std::string_view event, std::string_view who,
                   std::string_view detail) {
    if (s >= cluster::severity::warning) std::cerr << event << ' ' << who << ' ' << detail << '\n';
  };
  auto node = cluster::node::start(**store, options, [&](const storage::node_grant& grant) {
    table_options.slots = wallet_options.slots = {grant.incarnation, options.writers};
    cluster::entity_factory factory;
    factory.make = [&](const entity_id& who) {
      return who.kind == entity_kind::wallet ? actors::make_wallet(who, wallet_options)
                                             : actors::make_table(who, table_options);
    };
    return factory;
  });
  if (!node) fail(node.why().message);
  measure(**node, tables);
  (*node)->stop(std::chrono::seconds{20});
}
