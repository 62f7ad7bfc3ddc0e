// The match itself: commands, the turn clock and the commit that settles.
#include <algorithm>

#include "actors/assert.hpp"
#include "actors/games/payout.hpp"
#include "actors/limits.hpp"
#include "actors/table_entity.hpp"

namespace baraza::actors {

using table_event::no_seat;

bool table::may_decide(const uuid& player, std::uint64_t command, std::uint8_t& seat,
                       const reply_to& from, context& ctx) {
  seat = state_.seat_of(player);
  if (seat == no_seat) {
    refuse(ctx, from, "not_seated", "Only a seated player may act.");
    return false;
  }
  if (const auto seq = state_.accepted_at(seat, command)) {
    ctx.reply(from, accepted{*seq});
    return false;
  }
  if (is_over(state_.now)) {
    refuse(ctx, from, "match_over", "The match is over.");
  } else if (state_.now != phase::playing) {
    refuse(ctx, from, "not_started", "The match has not started.");
  } else if (command == 0 || command <= state_.last_command(seat)) {
    // Older than an accepted one: a late copy from a lost connection must not act after its
    // successors.
    refuse(ctx, from, "stale_command", "Command counters only grow.");
  } else if (std::ranges::find(poisoned_, poison{seat, command}) != poisoned_.end()) {
    refuse(ctx, from, "internal", "This command failed; the match goes on without it.");
  } else {
    return true;
  }
  return false;
}

void table::refuse_poison(poison which, const reply_to& from, context& ctx) {
  if (poisoned_.size() >= poisons_max) poisoned_.erase(poisoned_.begin());
  poisoned_.push_back(which);
  refuse(ctx, from, "internal", "This command failed; the match goes on without it.");
}

void table::act(const table_act& what, const reply_to& from, context& ctx) {
  std::uint8_t seat = no_seat;
  if (!may_decide(what.player, what.command, seat, from, ctx)) return;
  games::decision decided;
  try {
    decided = state_.play->decide(seat, what.action, ctx.now());
  } catch (const std::exception&) {  // rule D3: the command is at fault, not the match
    return refuse_poison({seat, what.command}, from, ctx);
  }
  if (const auto* why = std::get_if<games::refusal>(&decided))
    return refuse(ctx, from, why->code, why->sentence);
  const auto& events = std::get<games::events>(decided);
  if (events.empty()) return refuse_poison({seat, what.command}, from, ctx);
  write_play(events, seat, what.command, from, ctx);
}

void table::concede(const table_concede& what, const reply_to& from, context& ctx) {
  std::uint8_t seat = no_seat;
  if (!may_decide(what.player, what.command, seat, from, ctx)) return;
  games::events events;
  try {
    events = state_.play->on_forfeit(seat, ctx.now());
  } catch (const std::exception&) {
    return refuse_poison({seat, what.command}, from, ctx);
  }
  if (events.empty()) return refuse_poison({seat, what.command}, from, ctx);
  write_play(events, seat, what.command, from, ctx);
}

/// What was half applied is lost with this life; the journal has none of it.
void table::write_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                       const reply_to& cause, context& ctx) {
  flight on_its_way{{}, state_.seq, ctx.now()};
  if (cause.edge != 0 || cause.entity) on_its_way.causes.push_back(cause);
  auto what = compose_play(events, seat, command, on_its_way, ctx);
  write(std::move(what), std::move(on_its_way), ctx);
}

bool table::may_join(const table_act& what, std::uint8_t& seat) const {
  if (!flight_ || flight_->is_clock || !flight_->lifecycle.empty()) return false;
  if (flight_->shown.empty() || flight_->causes.empty() ||
      flight_->causes.size() >= joined_commands_max)
    return false;
  seat = state_.seat_of(what.player);
  if (seat == no_seat || what.command <= state_.last_command(seat)) return false;
  return std::ranges::find(poisoned_, poison{seat, what.command}) == poisoned_.end();
}

std::optional<change> table::join(const request& what, const reply_to& from, context& ctx) {
  const auto* move = std::get_if<table_act>(&what);
  std::uint8_t seat = no_seat;
  if (move == nullptr || from.edge == 0 || !may_join(*move, seat)) return std::nullopt;
  games::decision decided;
  try {
    decided = state_.play->decide(seat, move->action, ctx.now());
  } catch (const std::exception&) {  // again when it is its turn, and refused then
    return std::nullopt;
  }
  const auto* events = std::get_if<games::events>(&decided);
  if (events == nullptr || events->empty()) return std::nullopt;
  flight_->causes.push_back(from);
  return compose_play(*events, seat, move->command, *flight_, ctx);
}

change table::compose_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                           flight& on_its_way, context& ctx) {
  try {
    return apply_play(events, seat, command, on_its_way, ctx);
  } catch (const std::exception& why) {
    if (command == 0) throw;  // a time-out is nobody's command
    throw poisoned{{seat, command}, why.what()};
  }
}

change table::apply_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                         flight& on_its_way, context& ctx) {
  const auto now = ctx.now();
  const auto before = state_.seq;
  change what;
  what.events.reserve(events.size() + 1);
  on_its_way.shown.reserve(on_its_way.shown.size() + events.size());
  std::optional<games::outcome> outcome;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto counter = i == 0 ? command : 0;
    const auto seq = state_.seq + 1;
    what.events.push_back(table_event::encode_game(now, seat, counter, events[i]));
    state_.apply_game(seq, now, seat, counter, events[i]);
    const bool last = i + 1 == events.size();
    if (last) outcome = state_.play->result();
    on_its_way.shown.push_back(
        show_game(state_, seq, now, seat, counter, events[i], last && !outcome));
  }
  // A snapshot is of the state after the whole commit: who joins one makes it anew.
  on_its_way.has_snapshot =
      on_its_way.has_snapshot || before / table_snapshot_every != state_.seq / table_snapshot_every;
  if (outcome) {
    settle_into(what, on_its_way, *outcome, now);
  } else if (on_its_way.has_snapshot) {
    what.snapshot = state_.snapshot();
  }
  return what;
}

void table::settle_into(change& what, flight& on_its_way, const games::outcome& outcome,
                        millis now) {
  const std::vector<std::int64_t> stakes(state_.seats.size(), state_.stake);
  const auto shares = games::settle(stakes, state_.rake_bp, outcome);
  const auto escrow = state_.escrow();
  std::int64_t pot = state_.stake * static_cast<std::int64_t>(stakes.size());
  const auto pay = [&](const storage::account_id& to, std::int64_t amount,
                       storage::transfer_kind kind, const std::string& purpose) {
    ENTITY_ASSERT(amount >= 0);
    pot -= amount;
    if (amount > 0)
      what.transfers.push_back(
          {uuid::v8(state_.match, purpose), escrow, to, amount, state_.money, kind, state_.match});
  };
  for (std::size_t i = 0; i < state_.seats.size(); ++i)
    pay(storage::player_account(state_.seats[i].player, state_.money), shares.payouts[i],
        storage::transfer_kind::payout, "payout/" + std::to_string(i));
  pay(storage::system_account(storage::account_kind::rake, state_.money, options_->slots.of(id_)),
      shares.rake, storage::transfer_kind::rake, "rake");
  ENTITY_ASSERT(pot == 0);

  what.closes.push_back(escrow);
  what.wake = storage::commit::wake_change::clear;
  const table_event::ended end{outcome.reason, outcome.weights, shares.payouts, shares.rake,
                               revealed_seed()};
  on_its_way.lifecycle.push_back(table_event::encode(now, end));
  what.events.push_back(on_its_way.lifecycle.back());
}

void table::resume_clock(context& ctx) {
  const auto turn = state_.play->whose_turn();
  const auto left = std::max<millis>(state_.deadline - state_.last_at, options_->resume_grace_ms);
  // Setting the wake-up again also tells the store that this life got going: a match that merely
  // lived through several dead nodes must not be taken for one that kills them (rule D3).
  change resumed;
  resumed.wake = storage::commit::wake_change::set;
  resumed.wake_at = ctx.now() + left;
  resumed.is_progress = false;
  flight on_its_way{{}, state_.seq, ctx.now()};
  on_its_way.is_clock = true;
  resumed.events.push_back(table_event::encode(
      ctx.now(), table_event::clock{turn.seats, static_cast<std::int32_t>(left)}));
  on_its_way.lifecycle = resumed.events;
  write(std::move(resumed), std::move(on_its_way), ctx);
}

/// A commit is durable. A move that leaves the turn to the others leaves their clock as it is.
void table::note_clock(bool held) {
  if (state_.deadline == clock_) {
    clock_held_ = clock_held_ || held;
    return;
  }
  clock_ = state_.deadline;
  clock_set_at_ = state_.last_at;
  clock_held_ = held;
}

/// The clock was set before a pause, or came to the players after one: it ends nothing (rule C).
bool table::is_clock_stale(const context& ctx) const {
  return clock_held_ || ctx.reachable_since() > clock_set_at_;
}

void table::time_out(context& ctx) {
  const auto events = state_.play->on_timeout(state_.play->whose_turn().seats, ctx.now());
  ENTITY_ASSERT(!events.empty());
  write_play(events, no_seat, 0, {}, ctx);
}

}  // namespace baraza::actors
