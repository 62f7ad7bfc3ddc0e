#include "actors/table_state.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "actors/limits.hpp"

namespace baraza::actors {

using namespace table_event;

std::string_view to_string(phase p) {
  switch (p) {
    case phase::none:
      return "none";
    case phase::ready:
      return "ready";
    case phase::opening:
      return "opening";
    case phase::buying:
      return "buying";
    case phase::playing:
      return "playing";
    case phase::ended:
      return "ended";
    case phase::aborted:
      return "aborted";
    case phase::voided:
      return "voided";
  }
  return "none";
}

void table_state::expect(bool holds, const char* what) const {
  if (!holds) throw games::cannot_fold{what};
}

void table_state::fold(std::uint64_t at_seq, std::string_view event) {
#ifdef BARAZA_TEST_COMMANDS
  if (find_ != nullptr && event == deadly) std::abort();
#endif
  const auto e = decode(event);
  std::visit([&](const auto& what) { apply(at_seq, e.at, what); }, e.what);
  seq = at_seq;
  last_at = e.at;
}

namespace {

/// Whatever way a game fails at its own events, they cannot be folded (rule D2).
template <class Step>
auto fold_by_rules(Step&& step) {
  try {
    return step();
  } catch (const games::cannot_fold&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& why) {
    throw games::cannot_fold{std::string{"the rules fail: "} + why.what()};
  }
}

}  // namespace

void table_state::find_rules() {
  if (find_ == nullptr) return;
  rules = find_(game);
  if (rules == nullptr) throw std::runtime_error{"this binary has no game " + game};
  if (rules_version > rules->version())
    throw std::runtime_error{"this binary is too old for the rules of this match of " + game};
}

void table_state::apply(std::uint64_t, millis, const created& e) {
  expect(now == phase::none, "a match is created once");
  expect(e.stake > 0 && e.stake <= stake_minor_max, "stake out of range");
  expect(e.rake_bp <= 10'000, "rake out of range");
  expect(e.seats.size() <= seats_max, "more seats than a table has");
  game = e.game;
  rules_version = e.rules_version;
  options = e.options;
  stake = e.stake;
  money = e.money;
  rake_bp = e.rake_bp;
  commit = e.commit;
  sealed = e.sealed;
  deadline = e.deadline;
  seats.clear();
  for (const auto& info : e.seats) seats.push_back({info.player, info.display, {}, {}, {}, {}});
  find_rules();
  now = phase::ready;
}

void table_state::apply(std::uint64_t at_seq, millis, const hashes& e) {
  expect(now == phase::ready && e.list.size() == seats.size(), "hashes out of place");
  for (std::size_t i = 0; i < seats.size(); ++i) seats[i].hash = e.list[i];
  hashes_seq = at_seq;
  deadline = e.deadline;
  now = phase::opening;
}

void table_state::apply(std::uint64_t at_seq, millis, const locked& e) {
  expect(now == phase::opening && e.seeds.size() == seats.size(), "seeds out of place");
  expect(e.buy_ins.size() == seats.size(), "one buy-in per seat");
  for (std::size_t i = 0; i < seats.size(); ++i) {
    seats[i].seed = e.seeds[i].seed;
    seats[i].salt = e.seeds[i].salt;
  }
  buy_ins = e.buy_ins;
  locked_seq = at_seq;
  deadline = e.deadline;
  now = phase::buying;
}

void table_state::apply(std::uint64_t, millis at, const started&) {
  expect(now == phase::buying, "started out of place");
  now = phase::playing;
  buy_ins = {};
  if (rules == nullptr) return;
  const auto with = setup();  // a wrong key fails here, which is no reason to void a match
  play = fold_by_rules([&] { return rules->create(with); });
  update_clock(at, true);
}

void table_state::apply(std::uint64_t at_seq, millis at, const table_event::game& e) {
  apply_game(at_seq, at, e.seat, e.command, e.body);
}

void table_state::apply_game(std::uint64_t at_seq, millis at, std::uint8_t seat,
                             std::uint64_t command, std::string_view body) {
  expect(now == phase::playing, "a game event out of place");
  if (play) {
    fold_by_rules([&] { play->evolve(body); });
    update_clock(at, false);
  }
  if (command != 0) {
    expect(seat < seats.size(), "no such seat");
    auto& kept = seats[seat].commands;
    if (kept.size() >= repeats_per_seat_max) kept.erase(kept.begin());
    kept.push_back({command, at_seq});
  }
  seq = at_seq;
  last_at = at;
}

void table_state::apply(std::uint64_t, millis at, const clock& e) {
  expect(now == phase::playing, "a clock out of place");
  deadline = at + e.left_ms;
}

void table_state::apply(std::uint64_t, millis, const ended& e) {
  expect(now == phase::playing && e.payouts.size() == seats.size(), "an end out of place");
  result =
      std::make_unique<table_result>(table_result{e.reason, 0, e.payouts, e.rake, e.server_seed});
  now = phase::ended;
}

void table_state::apply(std::uint64_t, millis, const aborted& e) {
  expect(now == phase::ready || now == phase::opening, "an abort out of place");
  result = std::make_unique<table_result>(table_result{e.reason, e.who, {}, 0, e.server_seed});
  now = phase::aborted;
}

void table_state::apply(std::uint64_t, millis, const voided& e) {
  expect(!is_over(now), "a void after the end");
  result =
      std::make_unique<table_result>(table_result{e.reason, e.who, e.refunds, 0, e.server_seed});
  now = phase::voided;
}

void table_state::update_clock(millis at, bool restart) {
  const auto turn = play->whose_turn();
  if (turn.seats == 0) {
    deadline = 0;
  } else if (restart || turn.number != turn_number) {
    deadline = at + turn.limit_ms;
  }
  turn_number = turn.number;
}

std::uint8_t table_state::seat_of(const uuid& player) const {
  for (std::size_t i = 0; i < seats.size(); ++i)
    if (seats[i].player == player) return static_cast<std::uint8_t>(i);
  return no_seat;
}

std::optional<std::uint64_t> table_state::accepted_at(std::uint8_t seat,
                                                      std::uint64_t command) const {
  const auto& kept = seats[seat].commands;
  if (kept.empty() || command > kept.back().command) return std::nullopt;  // nearly always
  const auto found = std::ranges::lower_bound(kept, command, {}, &accepted_command::command);
  if (found == kept.end() || found->command != command) return std::nullopt;
  return found->seq;
}

std::uint64_t table_state::last_command(std::uint8_t seat) const {
  return seats[seat].commands.empty() ? 0 : seats[seat].commands.back().command;
}

std::optional<fair::bytes32> table_state::server_seed() const {
  auto seed = revealed_;
  if (!seed && key_ != nullptr) seed = open_seed(*key_, match, sealed);
  if (seed && fair::commitment(*seed) != commit) return std::nullopt;
  return seed;
}

games::match_setup table_state::setup() const {
  games::match_setup out;
  out.rules_version = rules_version;
  out.options = options;
  out.seats = static_cast<std::uint8_t>(seats.size());
  const auto seed = server_seed();
  // Not cannot_fold: with a wrong key in its configuration a node would void every match it
  // touches.
  if (!seed)
    throw std::runtime_error{"the server seed does not open: is this another cluster key?"};
  out.seeds.server = *seed;
  out.seeds.game_id = games::fairness_id(game, rules_version);
  for (const auto& seat : seats) out.seeds.clients.push_back(seat.seed);
  return out;
}

}  // namespace baraza::actors
