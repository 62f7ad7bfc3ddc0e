#include "http/client/load.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <thread>

#include "http/client/http_api.hpp"
#include "http/client/limits.hpp"
#include "http/client/load_fleet.hpp"
#include "http/client/load_verify.hpp"
#include "http/client/source_address.hpp"

namespace baraza::client {
namespace {

constexpr unsigned account_threads = 4;  // requests of accounts under way at once
constexpr auto gather_time =
    60s;  // for every bot to be connected, after which the run starts with those that are
constexpr auto drain_time = 10s;  // for matches under way to end after the run
constexpr auto turn_wait = 10ms;
constexpr int account_patience = 100;  // repeats of a request the server puts off

/// Creates the guests up front; several blocking connections, each from the address its bots will
/// use.
bool create_accounts(load_fleet& fleet, std::uint32_t count, std::string& why) {
  std::vector<account> made(count);
  std::atomic<std::uint32_t> next{0};
  std::atomic<bool> failed{false};
  problem first;
  const auto work = [&](bool is_first) {
    std::optional<http_api> api;
    std::uint32_t source = UINT32_MAX;
    for (std::uint32_t i; !failed && (i = next++) < count;) {
      const auto from = source_address_for(fleet.doors().front().address, i);
      if (!api || (from && from->sin_addr.s_addr != source)) {
        api.emplace(fleet.options.server, from ? &*from : nullptr);
        if (from) source = from->sin_addr.s_addr;
      }
      auto got = api->guest("bot " + std::to_string(i), account_patience);
      if (auto* problem = std::get_if<client::problem>(&got)) {
        if (!failed.exchange(true)) first = std::move(*problem);
        return;
      }
      made[i] = std::move(std::get<account>(got));
      if (is_first && fleet.options.progress && i % 500 < account_threads)
        std::fprintf(stderr, "accounts: %u of %u\n", i, count);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < account_threads; ++i) threads.emplace_back(work, i == 0);
  for (auto& thread : threads) thread.join();
  if (failed) {
    why =
        first.code == "unreachable" ? "the server is away (" + first.message + ")" : first.message;
    return false;
  }
  const std::uint32_t players = 2 * fleet.options.tables;
  for (std::uint32_t i = 0; i < count; ++i) fleet.add(std::move(made[i]), i < players);
  return true;
}

/// Asks for as many descriptors as the sockets need. @returns whether the system grants them
bool raise_descriptor_limit(std::uint32_t sockets, std::string& failure) {
  const rlim_t needed = sockets + 64;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return true;
  const auto most = limit.rlim_max;
  limit.rlim_cur = std::min(most, needed);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (most >= needed) return true;
  failure = std::to_string(sockets) + " sessions need " + std::to_string(needed) +
            " open files; this process may have " + std::to_string(most) + " (ulimit -Hn)";
  return false;
}

void show_progress(load_fleet& fleet, double elapsed, std::uint64_t before, double interval) {
  const bool tty = ::isatty(STDERR_FILENO) != 0;
  std::fprintf(
      stderr,
      "%s%6.0f s  %9.0f actions/s  p50 %.2f ms  p99 %.2f ms  %zu playing  %llu reconnects%s",
      tty ? "\r\033[K" : "", elapsed, static_cast<double>(fleet.actions - before) / interval,
      fleet.recent.quantile_ms(0.5), fleet.recent.quantile_ms(0.99), fleet.playing_count(),
      static_cast<unsigned long long>(fleet.reconnects), tty ? "" : "\n");
  std::fflush(stderr);
}

void gather(load_fleet& fleet, const volatile int& stop) {
  const auto until =
      std::chrono::steady_clock::now() + gather_time + std::chrono::milliseconds{fleet.bots.size()};
  while (fleet.open_count() < fleet.bots.size() && std::chrono::steady_clock::now() < until &&
         stop == 0)
    fleet.turn(turn_wait);
}

void measure(load_fleet& fleet, load_report& report, const volatile int& stop) {
  const auto start = std::chrono::steady_clock::now();
  const auto end = start + std::chrono::seconds{fleet.options.seconds};
  const auto interval = ::isatty(STDERR_FILENO) != 0 ? 1s : 10s;
  auto next_line = start + interval;
  std::uint64_t before = 0;
  fleet.start(start);
  auto now = start;
  for (; now < end && stop == 0; now = std::chrono::steady_clock::now()) {
    fleet.turn(turn_wait);
    if (!fleet.options.progress || now < next_line) continue;
    show_progress(fleet, std::chrono::duration<double>(now - start).count(), before,
                  std::chrono::duration<double>(interval).count());
    before = fleet.actions;
    fleet.recent.clear();
    next_line += interval;
  }
  fleet.stop();
  report.seconds = std::chrono::duration<double>(now - start).count();
  if (fleet.options.progress && ::isatty(STDERR_FILENO) != 0) std::fputc('\n', stderr);
}

/// Lets the matches under way come to their ends: an acknowledgement in flight would otherwise be
/// unknown to both sides.
void drain(load_fleet& fleet) {
  fleet.drain_rate();
  const auto until = std::chrono::steady_clock::now() + drain_time;
  while (fleet.playing_count() > 0 && std::chrono::steady_clock::now() < until)
    fleet.turn(turn_wait);
}

}  // namespace

load_report run_load(const load_options& options, const volatile int& stop) {
  load_report report;
  load_fleet fleet{options};
  const std::uint32_t sockets = 2 * options.tables + options.idle;
  report.failed = !raise_descriptor_limit(sockets, report.failure) ||
                  !fleet.resolve(report.failure) ||
                  !create_accounts(fleet, sockets, report.failure);
  if (report.failed) return report;
  gather(fleet, stop);
  if (fleet.open_count() == 0) {
    report.failed = true;
    report.failure = "no connection could be made";
    report.errors.insert(fleet.errors.begin(), fleet.errors.end());
    return report;
  }
  if (options.idle > 0 && options.progress)
    std::fprintf(stderr, "ready: %zu of %u sessions open\n", fleet.open_count(), sockets);
  measure(fleet, report, stop);
  drain(fleet);

  report.actions = fleet.actions;
  report.acknowledged = fleet.acknowledged;
  report.matches = fleet.matches;
  report.reconnects = fleet.reconnects;
  report.idle = options.idle;
  report.p50 = fleet.latency.quantile_ms(0.5);
  report.p90 = fleet.latency.quantile_ms(0.9);
  report.p99 = fleet.latency.quantile_ms(0.99);
  report.max = fleet.latency.max_ms();
  verify_acknowledged(fleet, report);
  report.errors.insert(fleet.errors.begin(), fleet.errors.end());
  return report;
}

}  // namespace baraza::client
