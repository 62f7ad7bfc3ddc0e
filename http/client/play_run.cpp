#include "http/client/play_run.hpp"

#include <unistd.h>

#include "http/client/cards.hpp"
#include "http/client/fields.hpp"
#include "http/client/limits.hpp"

namespace baraza::client {

namespace asio = boost::asio;

namespace {

constexpr std::size_t keys_kept_max = 64;  // typed ahead by a pipe
constexpr auto status_every = 250ms;
constexpr std::uint32_t patience_unattended = 120;

}  // namespace

play_run::play_run(const play_options& options, asio::io_context& io, play_account& account,
                   std::int64_t balance)
    : options_{options},
      io_{io},
      account_{account},
      balance_first_{balance},
      balance_{balance},
      patience_{options.patience != 0 || screen_.is_terminal() ? options.patience
                                                               : patience_unattended},
      timer_{io},
      client_{io, options.server, machine_options(), *this, handlers()} {}

void play_run::start() {
  progressed();
  const remembered& known = account_.known();
  if (!known.match.is_nil()) {
    screen_.line("Taking up match " + known.match.to_string() + " again.");
    resumed_ = true;
    client_.player().resume(known.match, now());
  } else {
    next();
  }
  client_.start();
  tick();
}

match_player::options play_run::machine_options() const {
  match_player::options out;
  out.game_options = draw_options(options_.best_of);
  out.stake = options_.stake;
  out.self = account_.who().player;
  out.seed = options_.seed;
  return out;
}

seat_client::handlers play_run::handlers() {
  seat_client::handlers on;
  on.token = [this] { return account_.who().access; };
  on.unauthorised = [this] { return account_.renew(); };
  on.opened = [this] {
    if (std::exchange(away_, false)) screen_.note("Connected again.");
    progressed();
  };
  on.closed = [this](const problem& why, std::chrono::milliseconds) {
    if (!std::exchange(away_, true))
      screen_.note("The server is away (" + why.message + ") Trying again…");
  };
  on.settled = [this](std::string_view) { consider(); };
  return on;
}

void play_run::next() {
  if (results_.size() >= options_.rounds) return finish(exit_code_);
  if (balance_ < options_.stake) {
    screen_.line("Your balance of " + money_text(balance_) + " DEMO does not cover the stake of " +
                 money_text(options_.stake) + ". Play for less with --stake.");
    return finish(1);
  }
  announced_ = false;
  screen_.line("Waiting for an opponent (best of " + std::to_string(options_.best_of) + ", stake " +
               money_text(options_.stake) + " DEMO)…" +
               (screen_.is_terminal() ? " q leaves." : ""));
  client_.player().queue(now());
}

void play_run::matched(std::string_view fields) {
  progressed();
  fields::elements(fields::find(fields, "opponents"),
                   [this](std::string_view name) { opponent_ = fields::text(name); });
  account_.remember(client_.player().table(), {});
}

void play_run::happened(const table_event& event) {
  progressed();
  if (event.type == "created" && !announced_) {
    announced_ = true;
    account_.remember(client_.player().table(), client_.player().commit());
    screen_.line("Opponent: " + screen_.strong(shown_name(opponent_)) +
                 ". The server is committed to " + client_.player().commit().substr(0, 16) + "…");
  }
  if (event.type == "started") {
    draw_.begin(options_.best_of, client_.player().seat());
    screen_.line(options_.automatic
                     ? "The match begins."
                     : "The match begins. Enter draws a card, c concedes, q leaves.");
  }
  if (event.type == "game") card_drawn(fields::find(event.body, "game"));
  if (event.type == "clock") screen_.line("The table is back; the clock runs again.");
  clock(fields::find(event.body, "clock"));
}

void play_run::viewed(std::string_view view) {
  progressed();
  fields::elements(fields::find(view, "seats"), [this](std::string_view seat) {
    if (fields::id(fields::find(seat, "player")) != account_.who().player)
      opponent_ = fields::text(fields::find(seat, "display"));
  });
  if (!announced_ && !client_.player().commit().empty()) {
    announced_ = true;
    if (account_.known().commit.empty())
      account_.remember(client_.player().table(), client_.player().commit());
    screen_.line("Opponent: " + screen_.strong(shown_name(opponent_)) +
                 ". The server is committed to " + client_.player().commit().substr(0, 16) + "…");
  }
  if (draw_.viewed(fields::find(view, "state"), client_.player().seat()) &&
      client_.player().where() == phase::playing) {
    const auto& state = draw_.state();
    screen_.line("Score " + std::to_string(state.wins[draw_.seat()]) + ":" +
                 std::to_string(state.wins[1 - draw_.seat()]) + ".");
  }
  clock(fields::find(view, "clock"));
}

void play_run::clock(std::string_view clock) {
  if (clock.empty()) return;
  bool ours = false;
  fields::elements(fields::find(clock, "seats"),
                   [&](std::string_view seat) { ours |= fields::number(seat) == draw_.seat(); });
  const auto left =
      std::chrono::milliseconds{fields::signed_number(fields::find(clock, "left_ms"))};
  clock_end_ = ours ? now() + left : time_point{};
}

void play_run::card_drawn(std::string_view game_event) {
  const auto before = draw_.state();
  if (!draw_.happened(game_event)) return;
  const auto& after = draw_.state();
  const std::uint8_t seat = draw_.seat();
  if (seat > 1) return;
  if (after.nonce != before.nonce) {
    const bool tie = after.round == before.round;
    screen_.round(after, after.last, seat, opponent_, before.round, tie);
    return;
  }
  for (std::uint8_t i = 0; i < 2; ++i) {
    if (after.drawn[i] && !before.drawn[i] && screen_.is_terminal())
      screen_.drew(*after.drawn[i], i == seat, opponent_);
  }
}

void play_run::draw() { client_.player().act(std::string{draw_command()}, now()); }

/// Draws when it is due: by itself, or with a key typed ahead from a pipe.
void play_run::consider() {
  if (client_.player().where() != phase::playing || client_.player().busy() || !draw_.may_draw())
    return;
  if (options_.automatic) return draw();
  if (!typed_.empty()) {
    const char key = typed_.front();
    typed_.pop_front();
    return pressed(key);
  }
  if (input_ended_) leave(false);
}

void play_run::pressed(char key) {
  if (leaving_) return;
  if (key == 0) {
    input_ended_ = true;
    return consider();
  }
  if (key == 'q' || key == 'Q') return leave(true);
  if (options_.automatic) return;
  const bool may = client_.player().where() == phase::playing && !client_.player().busy();
  if ((key == 'c' || key == 'C') && may) {
    client_.player().concede(now());
  } else if (key == '\n' || key == '\r' || key == ' ') {
    if (may && draw_.may_draw()) return draw();
    // A person's key in vain is forgotten; a script's next line waits for its turn.
    if (::isatty(STDIN_FILENO) == 0 && typed_.size() < keys_kept_max) typed_.push_back(key);
  }
}

void play_run::refused(std::string_view what, const problem& why) {
  screen_.line(why.message.empty() ? why.code : why.message);
  if (what == "join") finish(1);
}

void play_run::pushed(std::string_view type, std::string_view) {
  if (type == "going_away")
    screen_.note("The server is restarting; the match goes on when it is back.");
}

void play_run::tick() {
  timer_.expires_after(status_every);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || leaving_) return;
    if (patience_ != 0 && now() - progress_at_ > std::chrono::seconds{patience_}) {
      screen_.note("Nothing has happened for " + std::to_string(patience_) + " s; giving up.");
      return finish(1);
    }
    if (client_.player().where() == phase::playing && draw_.may_draw() && clock_end_ > now() &&
        !options_.automatic) {
      const auto left =
          std::chrono::duration_cast<std::chrono::seconds>(clock_end_ - now()).count();
      screen_.status("  Your card? Enter draws · c concedes · q leaves   " + std::to_string(left) +
                     " s");
    } else if (client_.player().where() == phase::playing && draw_.seat() < 2 &&
               draw_.state().drawn[draw_.seat()]) {
      screen_.status("  " + shown_name(opponent_) + " is drawing…");
    }
    consider();
    tick();
  });
}

void play_run::leave(bool by_hand) {
  if (leaving_) return;
  if (client_.player().where() >= phase::seated) {
    screen_.line(
        "The match goes on without you: a player who lets the clock run out loses. Come back with "
        "the same command.");
  } else {
    client_.player().leave(now());
  }
  finish(by_hand || !results_.empty() ? exit_code_ : 1);
}

void play_run::finish(int code) {
  if (leaving_) return;
  leaving_ = true;
  exit_code_ = code;
  timer_.cancel();
  // After the frames written now have left; nothing else keeps the loop alive.
  auto grace = std::make_shared<asio::steady_timer>(io_, 50ms);
  grace->async_wait([this, grace](const boost::system::error_code&) {
    client_.stop();
    io_.stop();
  });
}

}  // namespace baraza::client
