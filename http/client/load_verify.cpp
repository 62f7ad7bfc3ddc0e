#include "http/client/load_verify.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "http/client/fields.hpp"
#include "http/client/http_api.hpp"
#include "http/client/limits.hpp"
#include "http/client/source_address.hpp"

namespace baraza::client {
namespace {

constexpr unsigned verify_threads = 2;
constexpr auto sample_time = 5s;
constexpr auto clock_time = 90s;  // two turns of a game and what a restarted server adds to them

/// How many of one bot's acknowledged commands the record does not hold.
std::uint64_t missing_from(std::string_view record, const match_acks& acks, const uuid& player) {
  std::uint64_t seat = 0xFF, index = 0;
  fields::elements(fields::find(fields::find(record, "table"), "seats"),
                   [&](std::string_view each) {
                     if (fields::id(fields::find(each, "player")) == player) seat = index;
                     ++index;
                   });
  std::vector<std::uint32_t> held;
  fields::elements(fields::find(record, "events"), [&](std::string_view event) {
    const auto command = fields::number(fields::find(event, "command"));
    if (command != 0 && fields::number(fields::find(event, "seat"), 0xFE) == seat)
      held.push_back(static_cast<std::uint32_t>(command));
  });
  return static_cast<std::uint64_t>(
      std::count_if(acks.commands.begin(), acks.commands.end(), [&](std::uint32_t command) {
        return std::find(held.begin(), held.end(), command) == held.end();
      }));
}

/// The record of a match that may still be running: its moves are shown once it has ended, at the
/// latest by its clock.
answer_or<std::string> ended_record(http_api& api, const account& who, const uuid& match,
                                    std::chrono::steady_clock::time_point until) {
  for (;;) {
    auto got = api.record(who, match);
    const auto* record = std::get_if<std::string>(&got);
    if (!record || fields::signed_number(fields::find(*record, "ended_at"), -1) >= 0) return got;
    if (std::chrono::steady_clock::now() > until)
      return problem{"still_running",
                     "The match has not ended, so that its moves are not shown yet."};
    std::this_thread::sleep_for(500ms);
  }
}

}  // namespace

void verify_acknowledged(load_fleet& fleet, load_report& report) {
  const bool all = fleet.options.verify_all || fleet.reconnects > 0;
  const auto until = std::chrono::steady_clock::now() + sample_time;
  const auto patient_until = std::chrono::steady_clock::now() + clock_time;
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> lost{0}, verified{0};
  std::mutex lock;  // of the fleet's error counts
  const auto work = [&](unsigned number) {
    // Sources of their own: reading records takes nothing from the bots' allowance.
    const auto from =
        source_address_for(fleet.doors().front().address, (50'000 + number) * sockets_per_source);
    http_api api{fleet.options.server, from ? &*from : nullptr};
    for (std::size_t i; (i = next++) < fleet.acks.size();) {
      if (!all && std::chrono::steady_clock::now() > until) return;
      // Newest first when sampling; the last ones are read last, to be over by then.
      const match_acks& acks = fleet.acks[all ? i : fleet.acks.size() - 1 - i];
      const account& who = fleet.bots[acks.bot]->who();
      const auto got = ended_record(api, who, acks.match, patient_until);
      const auto* record = std::get_if<std::string>(&got);
      const std::uint64_t missing =
          record ? missing_from(*record, acks, who.player) : acks.commands.size();
      verified += acks.commands.size();
      lost += missing;
      if (missing == 0) continue;
      const std::lock_guard guard{lock};
      fleet.count_error(record ? "lost" : "record_" + std::get<problem>(got).code);
      std::fprintf(stderr, "match %s: %llu acknowledged actions of %s are not in its record%s%s\n",
                   acks.match.to_string().c_str(), static_cast<unsigned long long>(missing),
                   who.player.to_string().c_str(), record ? "" : ": ",
                   record ? "" : std::get<problem>(got).message.c_str());
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < verify_threads; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  report.lost = lost;
  report.verified = verified;
}

}  // namespace baraza::client
