// A writing process is killed with SIGKILL a hundred times at random points; then every
// acknowledged commit must be there and no other one half there.
#include <chrono>
#include <random>
#include <sstream>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/child.hpp"
#include "tests/storage/crash_plan.hpp"
#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

constexpr int kills = 100;
using numbers = std::array<std::uint64_t, crash_entities>;

void note(const std::string& line, numbers& acknowledged) {
  std::istringstream words{line};
  std::size_t index = 0;
  std::uint64_t number = 0;
  if (words >> index >> number && index < crash_entities)
    acknowledged[index] = std::max(acknowledged[index], number);
}

/// Runs the writer until it has acknowledged `lines` commits, waits `pause` more, and kills it.
void run_and_kill(const store_fixture& on, const crash_plan& plan, std::size_t lines,
                  std::chrono::microseconds pause, numbers& acknowledged) {
  child writer{
      {CRASH_WRITER, on.url(), plan.base.to_string(), std::to_string(on.options().merge_at_bytes)}};
  std::string line;
  REQUIRE(writer.read_line(line));
  REQUIRE(line == "ready");
  for (std::size_t i = 0; i < lines; ++i) {
    REQUIRE(writer.read_line(line));
    note(line, acknowledged);
  }
  const auto until = std::chrono::steady_clock::now() + pause;
  while (std::chrono::steady_clock::now() < until) {
  }
  REQUIRE(writer.kill());
  while (writer.read_line(line))
    note(line, acknowledged);  // what was in the pipe had been acknowledged
}

std::size_t stored(reader& from, const std::array<uuid, 2>& ids) {
  const auto found = from.transfers(ids);
  REQUIRE(found);
  return found->size();
}

/// @param only_read leave everything as the dead process left it, for the next one to find. Only
/// where no commit can land after the kill
void check(const store_fixture& on, const crash_plan& plan, bool only_read,
           const numbers& acknowledged, numbers& checked) {
  auto options = on.options();
  options.read_only = only_read;
  const auto opened = open(on.url(), options);
  if (!opened) FAIL(opened.why().message);
  // A commit under way at the kill may land later: the successor's join waits for it or refuses it.
  if (!only_read) REQUIRE((*opened)->join(crash_node));
  const auto reader = (*opened)->open_reader();
  REQUIRE(reader);
  auto& from = **reader;
  for (std::size_t i = 0; i < crash_entities; ++i) {
    CAPTURE(i);
    const auto entity = plan.entity(i);
    const auto events = from.events(entity, checked[i] * crash_events, 10'000);
    REQUIRE(events);
    REQUIRE(events->size() % crash_events == 0);  // no half commit
    const auto number = checked[i] + events->size() / crash_events;
    REQUIRE(number >= acknowledged[i]);
    std::uint64_t seq = checked[i] * crash_events;
    for (const auto& event : *events) {
      REQUIRE(event.seq == ++seq);
      REQUIRE(event.payload == plan.payload(i, seq));
    }
    for (auto n = checked[i] + 1; n <= number; ++n)
      REQUIRE(stored(from, plan.transfer_ids(i, n)) == 2);
    REQUIRE(stored(from, plan.transfer_ids(i, number + 1)) == 0);
    const auto active = from.activate(std::span{&entity, 1});
    REQUIRE(active);
    REQUIRE(active->front().head == number * crash_events);
    if (number > 0) REQUIRE(active->front().snapshot == "after " + std::to_string(number));
    const auto account = plan.account(i);
    const auto balance = from.balances(std::span{&account, 1});
    if (number > 0) REQUIRE(balance->at(0).amount == static_cast<std::int64_t>(number));
    checked[i] = number;
  }
}

}  // namespace

TEST_CASE("a hundred kills of the writing process lose nothing and leave nothing half done",
          "[conformance][crash]") {
  EACH_STORE(kind);
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  const auto fixture = kind.make();
  const auto url = fixture->url();
  {
    const auto opened = open(url);
    REQUIRE(opened);
    REQUIRE((*opened)->migrate(schema_newest));
    REQUIRE((*opened)->maintain(wall_clock()));
  }
  const crash_plan plan{uuid::v7(wall_clock())};
  numbers acknowledged{}, checked{};
  for (int round = 0; round < kills; ++round) {
    CAPTURE(round);
    const auto lines = std::uniform_int_distribution<std::size_t>{0, 12 * crash_entities}(random);
    const std::chrono::microseconds pause{std::uniform_int_distribution<int>{0, 3'000}(random)};
    run_and_kill(*fixture, plan, lines, pause, acknowledged);
    const bool one_process = !fixture->can().several_opens;
    check(*fixture, plan, one_process && round % 4 != 3, acknowledged, checked);
  }
  std::uint64_t total = 0;
  for (const auto n : acknowledged) total += n;
  CHECK(total > 100);
  const auto opened = open(url, {.read_only = true});
  REQUIRE(opened);
  const auto report = (*opened)->verify();
  REQUIRE(report);
  INFO(report->first_violation);
  CHECK(report->clean);
}
