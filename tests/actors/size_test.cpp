// What a table costs while nothing happens, and what one action costs without store and sockets.
#include <malloc.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <iostream>
#include <optional>

#include "actors/table.hpp"
#include "msgpack_look.hpp"
#include "players.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::actors;
using namespace baraza::test;

namespace {

/// Commits at once, counts what it is given, and drops it: what remains is the table's own.
class quick_context final : public context {
 public:
  millis now() const override { return clock; }
  std::uint64_t head() const override { return seq; }
  std::uint64_t epoch() const override { return 1; }
  millis reachable_since() const override { return 0; }
  void commit(change what) override {
    seq += what.events.size();
    pending = true;
  }
  void reply(const reply_to&, answer) override { ++replies; }
  void ask(const entity_id&, request, std::uint64_t, millis) override {}
  void tell(const entity_id&, request) override {}
  void push(actors::push) override { ++pushes; }
  void push_to(std::uint32_t, actors::push) override {}
  void set_timer(millis) override {}
  void read_balances(std::vector<storage::account_id>, std::uint64_t) override {}
  void read_transfers(const storage::account_id&, const uuid&, std::uint64_t) override {}
  void set_idle(bool) override {}

  void settle(entity& e) {
    while (std::exchange(pending, false)) e.committed({}, *this);
  }
  millis clock = 1'700'000'000'000;
  std::uint64_t seq = 0;
  std::size_t replies = 0, pushes = 0;
  bool pending = false;
};

struct lone_table {
  lone_table(const table_options& options, std::mt19937_64& random)
      : one{make_player(random)},
        two{make_player(random)},
        match{uuid::v7(ctx.clock)},
        what{make_table(table_id(match), options)} {
    what->activated(ctx, true);
    ask(table_create{
        "draw", "", 500, storage::currency::demo, {{one.key, "Asha"}, {two.key, "Baraka"}}});
    for (auto* who : {&one, &two}) ask(table_ready{who->key, who->hash()});
    for (auto* who : {&one, &two}) ask(table_open{who->key, who->seed, who->salt});
    for (std::uint64_t seat : {0, 1}) {
      what->answered(seat, bought_in{}, ctx);
      ctx.settle(*what);
    }
  }
  void ask(const request& r) {
    what->handle(r, {1, 7, 9, std::nullopt}, ctx);
    ctx.settle(*what);
  }
  quick_context ctx;
  player one, two;
  uuid match;
  std::unique_ptr<entity> what;
};

const std::string draw_action =
    "\x81\xA2"
    "do\xA4"
    "draw";

}  // namespace

TEST_CASE("a table at rest takes less than 8 KiB", "[size]") {
  table_options options;
  std::mt19937_64 random{3};
  constexpr std::size_t tables = 2'000;
  std::vector<std::unique_ptr<lone_table>> all;
  all.reserve(tables);
  const auto before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < tables; ++i) {
    all.push_back(std::make_unique<lone_table>(options, random));
    all.back()->ask(table_act{all.back()->one.key, 1, draw_action});
    REQUIRE(all.back()->ctx.seq == 5);
  }
  const auto each = (mallinfo2().uordblks - before) / tables;
  std::cout << "bytes of a running table, its players and context included: " << each << '\n';
  if (!baraza::tests::is_sanitized)  // whose allocators do not count for mallinfo
    CHECK(each > 500);
  CHECK(each <= 8 * 1024);
}

TEST_CASE("figures: an action without store and sockets, and an activation", "[.bench]") {
  using clock = std::chrono::steady_clock;
  table_options options;
  std::mt19937_64 random{3};
  const auto micros = [](auto from) {
    return std::chrono::duration<double, std::micro>(clock::now() - from).count();
  };
  std::size_t actions = 0;
  double spent = 0;
  for (int i = 0; i < 20'000; ++i) {
    lone_table t{options, random};
    const auto head = t.ctx.seq;
    const table_act a{t.one.key, 1, draw_action}, b{t.two.key, 1, draw_action};
    const auto from = clock::now();
    t.ask(a);
    t.ask(b);
    spent += micros(from);
    actions += t.ctx.seq - head;
  }
  std::cout << "microseconds per action: " << spent / static_cast<double>(actions) << '\n';

  std::size_t matches = 0;
  world w{5};
  duel d{w, "draw"};
  REQUIRE(is_accepted(d.create()));
  REQUIRE(d.play_out());
  const auto& journal = w.store.journals[d.table()];
  const auto from = clock::now();
  for (; matches < 20'000; ++matches) {
    const auto t = make_table(d.table(), w.table_options);
    for (const auto& event : journal) t->fold(event.seq, event.at, event.payload);
  }
  std::cout << "microseconds per activation of " << journal.size()
            << " events: " << micros(from) / static_cast<double>(matches) << '\n';
}
