// Figures, not claims: test_storage '[.bench]' prints what each store does on this machine.
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Transfers per second from `wallets` to one escrow, `size` commits (one transfer, one event each)
/// a batch.
double transfers_per_second(world& w, std::vector<wallet>& wallets, std::size_t size, int batches) {
  const auto game = new_match(w);
  std::size_t at = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < batches; ++n) {
    std::vector<commit> commits;
    commits.reserve(size);
    std::vector<const commit*> members;
    for (std::size_t i = 0; i < size; ++i) {
      auto& from = wallets[at++ % wallets.size()];
      auto& c = commits.emplace_back(w.commit_of(from.entity, from.seq++));
      c.events[0].assign(120, 'e');
      c.transfers = {buy_in(from, game, 1)};
      c.transfers[0].id = uuid::v7(wall_clock());
      members.push_back(&c);
    }
    const auto answer = w.apply(members);
    REQUIRE(answer.code == errc::none);
    for (const auto& member : answer.members) REQUIRE(member.code == errc::none);
  }
  return static_cast<double>(size) * batches / seconds_since(start);
}

}  // namespace

TEST_CASE("figures of commits and activations", "[.bench]") {
  EACH_STORE(kind);
  world w{kind};
  std::vector<wallet> wallets;
  for (int i = 0; i < 2'000; ++i) wallets.push_back(new_wallet(w, 1'000'000));
  const auto single = transfers_per_second(w, wallets, 1, 2'000);
  const auto cpu = cpu_seconds();
  const auto batched = transfers_per_second(w, wallets, 500, 200);
  std::printf("%s: %.1f us of this process's CPU for each transfer of a batch\n", kind.name.c_str(),
              (cpu_seconds() - cpu) * 1e6 / (500 * 200));
  std::printf("%s: one by one %.0f transfers/s, batches of 500 %.0f transfers/s, ratio %.1f\n",
              kind.name.c_str(), single, batched, batched / single);

  std::vector<entity_id> tables;
  for (int i = 0; i < 5'000; ++i) {
    auto first = w.commit_of({entity_kind::table, uuid::v7(wall_clock())}, 0, 20);
    for (auto& event : first.events) event.assign(120, 'e');
    tables.push_back(first.entity);
    REQUIRE(w.apply_one(first).code == errc::none);
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{50}}) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < tables.size(); i += step)
      REQUIRE(w.reader->activate(std::span{tables}.subspan(i, step)));
    std::printf("%s: %.0f activations/s of 20 events, %zu a call\n", kind.name.c_str(),
                static_cast<double>(tables.size()) / seconds_since(start), step);
  }
  const auto start = std::chrono::steady_clock::now();
  const auto report = w.store->verify();
  REQUIRE(report);
  INFO(report->first_violation);
  CHECK(report->clean);
  std::printf("%s: verify of %llu transfers and %llu events in %.2f s\n", kind.name.c_str(),
              static_cast<unsigned long long>(report->transfers),
              static_cast<unsigned long long>(report->journal_events), seconds_since(start));
}
