#include "cluster/bench_ledger.hpp"

#include <sys/resource.h>

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <random>

#include "actors/wallet.hpp"
#include "cluster/node.hpp"
#include "storage/baseline.hpp"

namespace baraza::cluster {
namespace {

using std::chrono::steady_clock;

/// Stands where an edge stands: asks wallets, gets their answers, keeps `window` questions open.
/// One per benchmark.
class driver final : public caf::event_based_actor {
 public:
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t answered = 0, refused = 0;
    std::string first_refusal;
    bool paying = false, stopping = false;
  };

  driver(caf::actor_config& config, std::shared_ptr<node_services> node,
         std::shared_ptr<shared> state, std::vector<uuid> players)
      : caf::event_based_actor{config},
        node_{std::move(node)},
        state_{std::move(state)},
        players_{std::move(players)} {}

 private:
  caf::behavior make_behavior() override {
    return {
        [this](edge_answer& m) { got(m); },
        [this](edge_push&) {},
        [this](const arm_timer& window) { open(static_cast<std::size_t>(window.at)); },
    };
  }

  void open(std::size_t window) {
    order_ = 0;
    for (std::size_t i = 0; i < std::min(window, players_.size()); ++i) ask();
  }

  /// Wallets in a fixed shuffled round: every wallet pays equally often, and none has two questions
  /// open.
  void ask() {
    const auto index = order_++ % players_.size();
    const auto& player = players_[index];
    auto what = std::make_shared<envelope>();
    what->to = {entity_kind::wallet, player};
    what->from = {1, 1, index, std::nullopt};
    if (state_->paying) {
      auto payee = players_[random_() % players_.size()];
      if (payee == player) payee = players_[(index + 1) % players_.size()];
      what->what = actors::wallet_buy_in{uuid::v7(node_->clock.now()), match_,
                                         storage::player_account(payee, storage::currency::demo), 1,
                                         storage::currency::demo};
    } else {
      what->what = actors::wallet_get{storage::currency::demo};
    }
    caf::anon_send(node_->region, deliver{std::move(what)});
  }

  void got(const edge_answer& m) {
    bool more;
    {
      const std::lock_guard lock{state_->mutex};
      ++state_->answered;
      if (const auto* no = std::get_if<actors::refused>(&m.what)) {
        if (state_->refused++ == 0) state_->first_refusal = no->code + ": " + no->message;
      }
      more = !state_->stopping && (state_->paying || order_ < players_.size());
      if (state_->answered % 1024 == 0 || !more) state_->changed.notify_all();
    }
    if (more) ask();
  }

  std::shared_ptr<node_services> node_;
  std::shared_ptr<shared> state_;
  std::vector<uuid> players_;
  std::uint64_t order_ = 0;
  uuid match_ = uuid::v7(node_->clock.now());
  std::minstd_rand random_{7};
};

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

figures run(node& on, const bench_ledger_options& options) {
  std::vector<uuid> players(options.accounts);
  for (auto& player : players) player = uuid::v4();
  auto state = std::make_shared<driver::shared>();
  auto& services = *on.services();
  auto asker = on.system().spawn<driver>(on.services(), state, players);
  on.attach_edge(1, asker);

  // Every wallet wakes up for the first time, opens its account and gets its grant.
  std::cerr << "opening " << options.accounts << " wallets …" << std::flush;
  const auto began = steady_clock::now();
  caf::anon_send(asker, arm_timer{{}, options.in_flight});
  {
    std::unique_lock lock{state->mutex};
    if (!state->changed.wait_for(lock, std::chrono::minutes{10},
                                 [&] { return state->answered >= options.accounts; }))
      return {.trouble = "the wallets did not open within ten minutes"};
    if (state->refused != 0) return {.trouble = state->first_refusal};
    state->answered = 0;
    state->paying = true;
  }
  std::cerr
      << " "
      << std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - began).count()
      << " ms\n";

  figures out;
  const auto count = [&] {
    const std::lock_guard lock{state->mutex};
    return state->answered;
  };
  caf::anon_send(asker, arm_timer{{}, options.in_flight});
  std::unique_lock warm{state->mutex};  // the first second fills caches and statement plans
  state->changed.wait_for(warm, std::chrono::seconds{1}, [] { return false; });
  warm.unlock();
  const auto start = steady_clock::now();
  const auto commits = services.counters.commits.load(), batches = services.counters.batches.load();
  const auto from = count();
  const auto cpu = cpu_seconds();
  for (int second = 1; second <= options.seconds; ++second) {
    std::unique_lock lock{state->mutex};
    state->changed.wait_until(lock, start + std::chrono::seconds{second}, [] { return false; });
    std::fprintf(stderr, "\r%2d s  %llu transfers", second,
                 static_cast<unsigned long long>(state->answered - from));
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
    const std::lock_guard lock{state->mutex};
    state->stopping = true;
    if (state->refused != 0) out.trouble = state->first_refusal;
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
  auto node = node::start(**store, node_options, [&](const storage::node_grant&) {
    entity_factory factory;
    factory.make = [&](const entity_id& who) { return actors::make_wallet(who, wallets); };
    factory.escrows_of = [](const auto&, const auto&) {
      return std::vector<storage::account_id>{};
    };
    factory.plan_void = [](const auto&, const auto&, const auto&, auto, auto) {
      return std::nullopt;
    };
    return factory;
  });
  if (!node) return fail(node.why().message);
  const auto got = run(**node, options);
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
