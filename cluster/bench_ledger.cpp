#include "cluster/bench_ledger.hpp"

#include <sys/resource.h>

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>

#include "actors/wallet.hpp"
#include "cluster/bench_asker.hpp"
#include "cluster/node.hpp"
#include "storage/baseline.hpp"

namespace baraza::cluster {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t askers = 64;

/// The wallets, the matches they pay into, and who asks them.
struct world {
  explicit world(const bench_ledger_options& options)
      : players(options.accounts), matches(options.accounts) {
    for (auto& player : players) player = uuid::v4();
    for (auto& match : matches) match = uuid::v4();
    const auto part = [](std::span<const uuid> all, std::size_t i) {
      const auto from = all.size() * i / askers, to = all.size() * (i + 1) / askers;
      return all.subspan(from, to - from);
    };
    for (std::size_t i = 0; i < askers; ++i)
      shares[uuid::v4()] = {part(players, i), part(matches, i),
                            std::max<std::size_t>(1, options.in_flight / askers)};
  }
  std::vector<uuid> players, matches;
  std::map<uuid, bench_share> shares;
  bench_tally tally;
};

entity_factory entities(world& all, const actors::wallet_options& wallets) {
  entity_factory factory;
  factory.make = [&](const entity_id& who) -> std::unique_ptr<actors::entity> {
    if (who.kind == entity_kind::wallet) return actors::make_wallet(who, wallets);
    const auto share = all.shares.find(who.key);
    return share == all.shares.end() ? nullptr : make_bench_asker(share->second, all.tally);
  };
  factory.escrows_of = [](const auto&, const auto&) { return std::vector<storage::account_id>{}; };
  factory.plan_void = [](const auto&, const auto&, const auto&, auto, auto) {
    return std::nullopt;
  };
  return factory;
}

void tell_askers(node& on, const world& all) {
  for (const auto& [key, share] : all.shares) {
    auto go = std::make_shared<envelope>();
    go->to = {entity_kind::house, key};
    go->what = actors::wallet_get{};
    caf::anon_send(on.services()->region.get(), deliver{std::move(go)});
  }
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct figures {
  std::uint64_t transfers = 0;
  double seconds = 0, cpu_us = 0, members_per_batch = 0;
  std::string trouble;
};

figures run(node& on, world& all, const bench_ledger_options& options) {
  auto& services = *on.services();
  auto& tally = all.tally;
  // Every wallet wakes up for the first time, opens its account and gets its grant.
  std::cerr << "opening " << options.accounts << " wallets and as many escrows …" << std::flush;
  const auto began = steady_clock::now();
  tell_askers(on, all);
  {
    std::unique_lock lock{tally.mutex};
    const auto deadline = began + std::chrono::minutes{10};
    while (tally.answered < options.accounts && tally.refused == 0)
      // Also by the clock: the last answers make no full thousand.
      if (tally.changed.wait_for(lock, std::chrono::milliseconds{100}) == std::cv_status::timeout &&
          steady_clock::now() > deadline)
        return {.trouble = "the wallets did not open within ten minutes"};
    if (tally.refused != 0) return {.trouble = tally.first_refusal};
    tally.answered = 0;
  }
  std::cerr
      << " "
      << std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began).count()
      << " ms\n";

  figures out;
  const auto count = [&] {
    const std::lock_guard lock{tally.mutex};
    return tally.answered;
  };
  tell_askers(on, all);
  std::unique_lock warm{tally.mutex};  // the first second fills caches and statement plans
  tally.changed.wait_for(warm, std::chrono::seconds{1}, [] { return false; });
  warm.unlock();
  const auto start = steady_clock::now();
  const auto commits = services.counters.commits.load(), batches = services.counters.batches.load();
  const auto from = count();
  const auto cpu = cpu_seconds();
  for (int second = 1; second <= options.seconds; ++second) {
    std::unique_lock lock{tally.mutex};
    tally.changed.wait_until(lock, start + std::chrono::seconds{second}, [] { return false; });
    std::fprintf(stderr, "\r%2d s  %llu transfers", second,
                 static_cast<unsigned long long>(tally.answered - from));
  }
  out.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
  out.transfers = count() - from;
  out.cpu_us =
      (cpu_seconds() - cpu) * 1e6 / static_cast<double>(std::max<std::uint64_t>(out.transfers, 1));
  out.members_per_batch =
      static_cast<double>(services.counters.commits.load() - commits) /
      static_cast<double>(std::max<std::uint64_t>(services.counters.batches.load() - batches, 1));
  std::fputc('\n', stderr);
  {
    const std::lock_guard lock{tally.mutex};
    tally.stopping = true;
    if (tally.refused != 0) out.trouble = tally.first_refusal;
  }
  return out;
}

}  // namespace

int bench_ledger(const bench_ledger_options& options) {
  const auto fail = [](const std::string& why) {
    std::cerr << "bench ledger: " << why << '\n';
    return 1;
  };
  auto store = storage::open(options.url);
  if (!store) return fail(store.why().message);
  if (auto state = (*store)->migrations(); !state || state->schema != 0) {
    std::cerr << "bench ledger: needs an empty store; this one "
              << (state ? "has a schema" : "cannot be read") << '\n';
    return 2;
  }
  storage::baseline_rates baseline;
  if (!options.skip_naive) {
    std::cerr << "measuring the naive way …\n";
    auto rates = storage::measure_baseline(options.url, options.accounts, options.seconds);
    if (!rates) return fail(rates.why().message);
    baseline = *rates;
  }
  if (auto ready = prepare(**store); !ready) return fail(ready.why().message);
  actors::wallet_options wallets;
  node_options node_options;
  node_options.writers = options.writers;
  node_options.passivate_after = 3'600'000;
  node_options.stop_node = [](std::string_view why) {
    std::cerr << "stopped: " << why << '\n', std::_Exit(1);
  };
  node_options.log = [](severity s, std::string_view event, std::string_view who,
                        std::string_view detail) {
    if (s >= severity::warning) std::cerr << event << ' ' << who << ' ' << detail << '\n';
  };
  world all{options};
  auto node = node::start(**store, node_options,
                          [&](const storage::node_grant&) { return entities(all, wallets); });
  if (!node) return fail(node.why().message);
  const auto got = run(**node, all, options);
  (*node)->stop(std::chrono::seconds{20});
  if (!got.trouble.empty()) return fail(got.trouble);
  auto proof = (*store)->verify();
  if (!proof || !proof->clean) return fail(proof ? proof->first_violation : proof.why().message);
  const double rate = static_cast<double>(got.transfers) / got.seconds;
  const double ratio = baseline.naive_per_s > 0 ? rate / baseline.naive_per_s : 0;
  std::printf(
      "%.0f transfers/s through wallets and gate (%.1f commits a batch, %.1f µs of our CPU each)\n",
      rate, got.members_per_batch, got.cpu_us);
  if (!options.skip_naive)
    std::printf("%.0f transfers/s the naive way, %.0f/s in one statement each: ratio %.2f\n",
                baseline.naive_per_s, baseline.single_per_s, ratio);
  if (options.json)
    std::printf(
        "{\"transfers\":%llu,\"seconds\":%.3f,\"transfers_per_s\":%.1f,\"naive_per_s\":%.1f,"
        "\"single_per_s\":%.1f,\"ratio\":%.3f,"
        "\"cpu_us\":%.2f,\"members_per_batch\":%.1f}\n",
        static_cast<unsigned long long>(got.transfers), got.seconds, rate, baseline.naive_per_s,
        baseline.single_per_s, ratio, got.cpu_us, got.members_per_batch);
  return 0;
}

}  // namespace baraza::cluster
