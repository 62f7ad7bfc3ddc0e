#include "actors/table.hpp"

#include <sodium.h>

#include <algorithm>

#ifdef BARAZA_TEST_COMMANDS
#include <csignal>
#include <thread>
#endif

#include "actors/assert.hpp"
#include "actors/games/codec.hpp"
#include "actors/limits.hpp"
#include "actors/table_entity.hpp"

namespace baraza::actors {

using table_event::no_seat;

std::unique_ptr<entity> make_table(const entity_id& id, const table_options& options) {
  return std::make_unique<table>(id, options);
}

table::table(const entity_id& id, const table_options& options)
    : id_{id},
      options_{&options},
      state_{id.key, &options.cluster_key, options.find_game ? options.find_game : &games::find} {}

void table::random(void* out, std::size_t size) const {
  options_->random_bytes ? options_->random_bytes(out, size) : randombytes_buf(out, size);
}

void table::refuse(context& ctx, const reply_to& to, std::string_view code,
                   std::string_view sentence) {
  ctx.reply(to, refused{std::string{code}, std::string{sentence}, 0});
}

// ---- life -------------------------------------------------------------------------------------

void table::recall(const std::vector<poison>& known, bool just_now) {
  poisoned_ = known;
  goes_on_ = just_now;
}

void table::activated(context& ctx, bool fresh) {
  if (fresh || is_over(state_.now)) return ctx.set_idle(true);
  ctx.set_idle(false);
  ctx.push(table_restarted{state_.match});
  grace_until_ = ctx.now() + options_->resume_grace_ms;
  if (state_.now == phase::playing && goes_on_) {
    // Else whoever knows such a command could buy time with it for ever.
    note_clock(false);
    return arm(ctx);
  }
  if (state_.now == phase::playing) return resume_clock(ctx);
  if (state_.now == phase::buying) ask_for_stakes(state_.seat_mask(), ctx);
  arm(ctx);
}

void table::handle(const request& what, const reply_to& from, context& ctx) {
  ENTITY_ASSERT(!flight_);  // the shell holds requests back while a commit is on its way
  std::visit(
      [&](const auto& asked) {
        using asked_type = std::decay_t<decltype(asked)>;
        if constexpr (std::is_same_v<asked_type, table_create>) {
          create(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_unwatch>) {
      // The shell keeps the watchers.
#ifdef BARAZA_TEST_COMMANDS
        } else if constexpr (std::is_same_v<asked_type, debug_fault>) {
          misbehave(static_cast<int>(asked.what), ctx);
#endif
        } else if (state_.now == phase::none) {
          refuse(ctx, from, "unknown_table", "There is no such table.");
        } else if constexpr (std::is_same_v<asked_type, table_act>) {
          act(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_concede>) {
          concede(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_watch>) {
          watch(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_renew>) {
          renew(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_ready>) {
          ready(asked, from, ctx);
        } else if constexpr (std::is_same_v<asked_type, table_open>) {
          open(asked, from, ctx);
        } else {
          refuse(ctx, from, "bad_request", "A table does not understand this.");
        }
      },
      what);
}

void table::write(change what, flight on_its_way, context& ctx) {
  ENTITY_ASSERT(!flight_);
  flight_ = std::make_unique<flight>(std::move(on_its_way));
  ctx.commit(std::move(what));
}

void table::write_event(const table_event::any& event, change what, const reply_to& cause,
                        context& ctx) {
  flight on_its_way{{cause}, state_.seq, ctx.now()};
  what.events.push_back(table_event::encode(ctx.now(), event));
  on_its_way.lifecycle = what.events;
  write(std::move(what), std::move(on_its_way), ctx);
}

void table::committed(const storage::member_result& result, context& ctx) {
  ENTITY_ASSERT(flight_);
  if (result.code != storage::errc::none) return refused_commit(result, ctx);
  const auto done = std::move(flight_);
  const auto before = state_.now;
  const bool was_clock = done->is_clock;
  for (const auto& bytes : done->lifecycle) {
    const auto seq = state_.seq + 1;
    state_.fold(seq, bytes);
    done->shown.push_back(show(state_, seq, table_event::decode(bytes)));
  }
  const bool created = before == phase::none;
  // An edge's session is answered by the push that it caused; only a creation has no watcher yet.
  std::erase_if(done->causes, [&](const reply_to& cause) {
    if (!created && cause.edge != 0) return false;
    ctx.reply(cause, accepted{state_.seq});
    return true;
  });
  const bool held = ctx.now() - done->since > commit_prompt_ms;
  publish(std::move(*done), ctx);
  if (state_.now != before) entered_phase(result, ctx);
  note_clock(held);
  // Told at once, so that players see the time they have. Not after a clock's own event: with a
  // store that is slow all the time nobody would get to move between them; timer() looks again.
  if (held && !was_clock && state_.now == phase::playing) return resume_clock(ctx);
  arm(ctx);
}

void table::refused_commit(const storage::member_result& result, context& ctx) {
  const auto done = std::move(flight_);
  const auto code = storage::to_string(result.code);
  if (state_.now == phase::none) {  // could not be created: as if never asked
    ctx.set_idle(true);
    return refuse(ctx, done->causes.front(), code, "The store refused to create the match.");
  }
  const bool escrow_differs =
      result.code == storage::errc::account_not_empty || result.code == storage::errc::overdraft;
  if (state_.now == phase::buying && buying_ && buying_->voiding && escrow_differs &&
      ++buying_->void_attempts <= void_attempts_max) {
    return ctx.read_transfers(state_.escrow(), state_.match, 0);
  }
  throw std::runtime_error{"the table's commit was refused: " + std::string{code} + ' ' +
                           result.detail};
}

void table::publish(flight done, context& ctx) {
  table_events out;
  out.table = state_.match;
  out.epoch = ctx.epoch();
  out.prev = done.prev;
  out.seq = state_.seq;
  out.bodies = bodies_of(state_, done.shown.data(), done.shown.size());
  out.causes = std::move(done.causes);
  out.ended = is_over(state_.now);
  ctx.push(std::move(out));
  for (auto& event : done.shown) {
    recent_bytes_ += event.bytes();
    recent_.push_back(std::move(event));
  }
  std::size_t drop = 0;
  for (; drop < recent_.size() &&
         (recent_.size() - drop > recent_events_max || recent_bytes_ > recent_bytes_max);
       ++drop)
    recent_bytes_ -= recent_[drop].bytes();
  recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(drop));
}

void table::entered_phase(const storage::member_result& result, context& ctx) {
  grace_until_ = 0;
  if (state_.now != phase::ready && state_.now != phase::opening) gathering_.reset();
  if (state_.now != phase::buying) buying_.reset();
  if (state_.now == phase::buying) ask_for_stakes(state_.seat_mask(), ctx);
  if (!is_over(state_.now)) return;
  hint_wallets(result.balances, ctx);
  poisoned_ = {};
  ctx.set_idle(true);
}

millis table::due() const {
  if (is_over(state_.now) || state_.now == phase::none || state_.deadline == 0) return 0;
  if (state_.now == phase::playing) return state_.deadline;
  return std::max(state_.deadline, grace_until_);
}

void table::arm(context& ctx) {
  auto at = due();
  if (buying_ && buying_->voiding) at = 0;
  if (at != 0 && buying_ && buying_->ask_again_at != 0) at = std::min(at, buying_->ask_again_at);
  if (at == 0) {
    if (timer_at_ != 0) ctx.set_timer(0);
    timer_at_ = 0;
  } else if (timer_at_ == 0 || at < timer_at_) {  // an earlier one fires early and looks again
    timer_at_ = at;
    ctx.set_timer(at);
  }
}

void table::timer(context& ctx) {
  timer_at_ = 0;
  if (flight_) return;  // committed() sets it again
  const auto at = due();
  if (at == 0 || (buying_ && buying_->voiding)) return;
  if (ctx.now() >= at) {
    const auto all = state_.seat_mask();
    const auto seats = seats_now();
    if (state_.now == phase::playing)
      return is_clock_stale(ctx) ? resume_clock(ctx) : time_out(ctx);
    const auto reachable_until = ctx.reachable_since() + options_->resume_grace_ms;
    if (ctx.reachable_since() > state_.last_at && grace_until_ < reachable_until) {
      grace_until_ = reachable_until;
      return arm(ctx);
    }
    if (state_.now == phase::ready) return abort("not_ready", all & ~seats.ready, ctx);
    if (state_.now == phase::opening) return abort("not_opened", all & ~seats.open, ctx);
    return begin_void("buy_in_timeout", all & ~buying_->paid, ctx);
  }
  if (buying_ && buying_->ask_again_at != 0 && ctx.now() >= buying_->ask_again_at) {
    buying_->ask_again_at = 0;
    ask_for_stakes(std::exchange(buying_->ask_again, 0), ctx);
  }
  arm(ctx);
}

void table::answered(std::uint64_t correlation, const answer& what, context& ctx) {
  if (state_.now == phase::buying && correlation < state_.seats.size())
    stake_answered(static_cast<std::uint8_t>(correlation), what, ctx);
}

// ---- seats and seeds --------------------------------------------------------------------------

namespace {

bool same_table(const table_state& state, const table_create& what) {
  return state.game == what.game && state.stake == what.stake && state.money == what.money &&
         std::ranges::equal(state.seats, what.seats, {}, &seat_state::player, &seat_info::player);
}

bool seats_fit(const games::rules& rules, const std::vector<seat_info>& seats) {
  if (seats.size() < rules.seats_min() || seats.size() > rules.seats_max() ||
      seats.size() > seats_max)
    return false;
  for (std::size_t i = 0; i < seats.size(); ++i) {
    const auto& shown = seats[i].display;
    if (seats[i].player.is_nil() || shown.size() > display_bytes_max ||
        !games::codec::is_utf8(shown))
      return false;
    for (std::size_t j = 0; j < i; ++j)
      if (seats[i].player == seats[j].player) return false;
  }
  return true;
}

}  // namespace

void table::create(const table_create& what, const reply_to& from, context& ctx) {
  if (state_.now != phase::none) {
    if (same_table(state_, what)) return ctx.reply(from, accepted{1});
    return refuse(ctx, from, "exists", "This table is another match.");
  }
  const auto find = options_->find_game ? options_->find_game : &games::find;
  const auto* rules = what.game.size() <= game_name_bytes_max ? find(what.game) : nullptr;
  if (rules == nullptr) return refuse(ctx, from, "unknown_game", "There is no such game.");
  if (what.stake <= 0 || what.stake > stake_minor_max)
    return refuse(ctx, from, "bad_stake", "A stake is above zero and below the limit.");
  if (!seats_fit(*rules, what.seats))
    return refuse(ctx, from, "bad_seats", "The game wants other seats, or a player holds two.");
  auto checked = rules->check_options(what.options);
  if (const auto* why = std::get_if<games::refusal>(&checked))
    return refuse(ctx, from, why->code, why->sentence);

  table_event::created event;
  event.game = what.game;
  event.rules_version = rules->version();
  event.options = std::move(std::get<0>(checked));
  event.stake = what.stake;
  event.money = what.money;
  event.rake_bp = options_->rake_bp;
  event.seats = what.seats;
  fair::bytes32 seed;
  random(seed.data(), seed.size());
  event.commit = fair::commitment(seed);
  event.sealed = seal_seed(options_->cluster_key, id_.key, seed);
  event.deadline = ctx.now() + options_->ready_timeout_ms;

  change opening;
  opening.opens.push_back({storage::escrow_account(id_.key, what.money),
                           storage::account_kind::escrow, what.money, id_.key});
  // One wake-up for the whole match: once overdue it brings the table back on whatever node owns
  // it, whose first act is its clock.
  opening.wake = storage::commit::wake_change::set;
  opening.wake_at = event.deadline;
  ctx.set_idle(false);
  write_event(event, std::move(opening), from, ctx);
}

void table::ready(const table_ready& what, const reply_to& from, context& ctx) {
  const auto seat = state_.seat_of(what.player);
  if (seat == no_seat) return refuse(ctx, from, "not_seated", "Only a seated player gets ready.");
  if (state_.now != phase::ready) {
    const bool repeat = state_.hashes_seq != 0 && state_.seats[seat].hash == what.hash;
    if (repeat) return ctx.reply(from, accepted{state_.hashes_seq});
    return refuse(ctx, from, "too_late", "The list of seed hashes is closed.");
  }
  const auto seats = state_.seats.size();
  if (!gathering_) gathering_ = std::make_unique<gathering>();
  gathering_->hashes.resize(seats);
  gathering_->hashes[seat] = what.hash;  // may change until all are in: nobody has seen it
  gathering_->ready |= 1u << seat;
  if (gathering_->ready != state_.seat_mask()) return ctx.reply(from, accepted{0});
  write_event(table_event::hashes{gathering_->hashes, ctx.now() + options_->open_timeout_ms}, {},
              from, ctx);
}

void table::open(const table_open& what, const reply_to& from, context& ctx) {
  const auto seat = state_.seat_of(what.player);
  if (seat == no_seat) return refuse(ctx, from, "not_seated", "Only a seated player opens a seed.");
  if (state_.now == phase::ready)
    return refuse(ctx, from, "too_early", "Not every seed hash is in yet.");
  const std::string_view salt{reinterpret_cast<const char*>(what.salt.data()), what.salt.size()};
  const bool opens = !what.seed.empty() && what.seed.size() <= fair::client_seed_bytes_max &&
                     state_.hashes_seq != 0 &&
                     fair::client_commitment(what.seed, salt) == state_.seats[seat].hash;
  if (state_.now != phase::opening) {
    if (opens && state_.locked_seq != 0) return ctx.reply(from, accepted{state_.locked_seq});
    return refuse(ctx, from, "too_late", "The seeds are locked.");
  }
  if (!opens)
    return refuse(ctx, from, "bad_opening", "Seed and salt do not hash to what was announced.");
  if (!gathering_) gathering_ = std::make_unique<gathering>();
  gathering_->openings.resize(state_.seats.size());
  gathering_->openings[seat] = {what.seed, what.salt};
  gathering_->open |= 1u << seat;
  if (gathering_->open != state_.seat_mask()) return ctx.reply(from, accepted{0});

  table_event::locked event;
  event.seeds = gathering_->openings;
  for (std::size_t i = 0; i < state_.seats.size(); ++i)
    event.buy_ins.push_back(uuid::v8(state_.match, "buy_in/" + std::to_string(i)));
  event.deadline = ctx.now() + options_->buy_in_timeout_ms;
  write_event(event, {}, from, ctx);
}

void table::abort(std::string_view reason, std::uint32_t who, context& ctx) {
  change closing;
  closing.closes.push_back(state_.escrow());
  closing.wake = storage::commit::wake_change::clear;
  write_event(table_event::aborted{std::string{reason}, who, revealed_seed()}, std::move(closing),
              {}, ctx);
}

fair::bytes32 table::revealed_seed() const {
  const auto seed = state_.server_seed();
  if (!seed)
    throw std::runtime_error{"the server seed does not open: is this another cluster key?"};
  return *seed;
}

volatile_seats table::seats_now() const {
  return gathering_ ? volatile_seats{gathering_->ready, gathering_->open} : volatile_seats{};
}

// ---- test builds ------------------------------------------------------------------------------

#ifdef BARAZA_TEST_COMMANDS
void table::misbehave(int how, context& ctx) {
  switch (static_cast<debug_fault::how>(how)) {
    case debug_fault::how::throws:
      throw std::runtime_error{"told to throw"};
    case debug_fault::how::asserts:
      ENTITY_ASSERT(how < 0);
      break;
    case debug_fault::how::cannot_fold:
    case debug_fault::how::dies_at_fold: {
      change bogus;
      bogus.events.emplace_back(how == static_cast<int>(debug_fault::how::cannot_fold)
                                    ? std::string_view{"\x92\xCC\xFA\x00", 4}  // of no known kind
                                    : table_event::deadly);
      flight on_its_way{{}, state_.seq, ctx.now(), {}, bogus.events};
      return write(std::move(bogus), std::move(on_its_way),
                   ctx);  // committed() folds it, and throws
    }
    case debug_fault::how::crashes:
      ::raise(SIGSEGV);
      break;
    case debug_fault::how::holds_thread:
      std::this_thread::sleep_for(std::chrono::seconds{60});
      break;
  }
}
#endif

}  // namespace baraza::actors
