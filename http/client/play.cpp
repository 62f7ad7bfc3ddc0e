#include "http/client/play.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <deque>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/games/proof.hpp"
#include "http/client/cards.hpp"
#include "http/client/draw_table.hpp"
#include "http/client/fields.hpp"
#include "http/client/keys.hpp"
#include "http/client/limits.hpp"
#include "http/client/play_account.hpp"
#include "http/client/play_screen.hpp"
#include "http/client/seat_client.hpp"

namespace baraza::client {

namespace asio = boost::asio;

namespace {

constexpr std::size_t keys_kept_max = 64;  // typed ahead by a pipe
constexpr auto status_every = 250ms;
constexpr auto proof_patience = 5;  // the record of an ended match may be a moment late
constexpr std::uint32_t patience_unattended = 120;

/// One finished match, for the last line of --json.
struct played {
  uuid match;
  std::string how, result;  // ended/aborted/voided/gone; won/lost/drawn/none
  std::int64_t payout = 0;
  bool proof = false;
};

class play_run final : public match_player::listener {
 public:
  play_run(const play_options& options, asio::io_context& io, play_account& account,
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

  void start() {
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
  void pressed(char key);
  void leave(bool by_hand);
  [[nodiscard]] int exit_code() const { return exit_code_; }
  void print_json() const;

  void send(std::string_view) override {}
  void matched(std::string_view fields) override;
  void happened(const table_event& event) override;
  void viewed(std::string_view view) override;
  void acknowledged(std::uint64_t, std::uint64_t, time_point) override { progressed(); }
  void refused(std::string_view what, const problem& why) override;
  void over(std::string_view how, std::string_view event) override;
  void pushed(std::string_view type, std::string_view frame) override;

 private:
  static time_point now() { return std::chrono::steady_clock::now(); }
  match_player::options machine_options() const;
  seat_client::handlers handlers();
  void progressed() { progress_at_ = now(); }
  void next();
  void tick();
  void draw();
  void consider();
  void card_drawn(std::string_view game_event);
  void clock(std::string_view clock);
  void tell_result(std::string_view how, std::string_view event, played& done);
  bool check_proof(const uuid& match);
  void finish(int code);

  const play_options& options_;
  asio::io_context& io_;
  play_account& account_;
  play_screen screen_;
  std::int64_t balance_first_, balance_;
  std::uint32_t patience_;
  asio::steady_timer timer_;
  draw_table draw_;
  std::string opponent_ = "the opponent";
  std::deque<char> typed_;
  bool input_ended_ = false, announced_ = false, away_ = false, resumed_ = false, leaving_ = false;
  time_point clock_end_, progress_at_;
  std::vector<played> results_;
  int exit_code_ = 0;
  seat_client client_;
};

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

void play_run::over(std::string_view how, std::string_view event) {
  progressed();
  played done{client_.player().table(), std::string{how}, "none", 0, false};
  tell_result(how, event, done);
  if (const auto balance = account_.balance()) {
    const std::int64_t change = *balance - balance_;
    screen_.line("Balance " + money_text(balance_) + " → " + screen_.strong(money_text(*balance)) +
                 " DEMO (" + (change > 0 ? "+" : "") + money_text(change) + ")");
    balance_ = *balance;
  }
  if (how == "ended") {
    done.proof = check_proof(done.match);
    if (!done.proof) exit_code_ = 1;
    for (const auto& line : account_.history(5)) {
      if (line.reference == done.match.to_string())
        screen_.line("History: " + line.kind + " " + (line.amount > 0 ? "+" : "") +
                     money_text(line.amount) + " DEMO, match " + line.reference);
    }
  }
  account_.remember({}, {});
  // A match of an earlier run comes on top of those asked for now.
  if (!std::exchange(resumed_, false) || how == "ended") results_.push_back(std::move(done));
  clock_end_ = {};
  next();
}

void play_run::tell_result(std::string_view how, std::string_view event, played& done) {
  if (how != "ended") {
    const auto reason = fields::text(fields::find(event, "reason"));
    screen_.line(how == "gone" ? "The match is over; its record has been archived."
                               : "The match did not come about (" + std::string{reason} +
                                     "); stakes went back.");
    return;
  }
  std::vector<std::int64_t> payouts;
  fields::elements(fields::find(event, "payouts"), [&](std::string_view amount) {
    payouts.push_back(fields::signed_number(amount));
  });
  const std::uint8_t seat = client_.player().seat();
  if (seat < payouts.size()) done.payout = payouts[seat];
  std::vector<std::uint64_t> weights;
  fields::elements(fields::find(event, "weights"),
                   [&](std::string_view weight) { weights.push_back(fields::number(weight)); });
  // A view tells payouts only.
  const std::int64_t mine =
      seat < weights.size() ? static_cast<std::int64_t>(weights[seat]) : done.payout;
  const std::int64_t theirs = weights.size() == 2 && seat < 2
                                  ? static_cast<std::int64_t>(weights[1 - seat])
                              : payouts.size() == 2 && seat < 2 ? payouts[1 - seat]
                                                                : 0;
  done.result = mine > theirs ? "won" : mine < theirs ? "lost" : "drawn";
  const auto reason = fields::text(fields::find(event, "reason"));
  std::string text = mine > theirs   ? "You win the match!"
                     : mine < theirs ? shown_name(opponent_) + " wins the match."
                                     : "Nobody wins; stakes go back.";
  if (reason == "forfeit") text += " (by forfeit)";
  screen_.line(screen_.strong(text) + " Payout " + money_text(done.payout) + " DEMO.");
}

bool play_run::check_proof(const uuid& match) {
  const std::string commit =
      account_.known().commit.empty() ? client_.player().commit() : account_.known().commit;
  for (int attempt = 0; attempt < proof_patience; ++attempt) {
    const auto got = account_.proof(match);
    const auto* text = std::get_if<std::string>(&got);
    if (!text) {
      if (std::get<problem>(got).code != "not_found") break;
      std::this_thread::sleep_for(200ms);
      continue;
    }
    const auto steps = games::verify_proof(*text);
    for (const auto& step : steps) {
      if (step.ok) continue;
      screen_.line("proof verified ✗ (" + step.name + ": " + step.why + ")");
      return false;
    }
    const auto map = wire::from_json(*text);
    // The file must be about what this program saw and sent, not merely consistent in itself.
    const bool same_commit =
        map && (commit.empty() || fields::text(fields::find(*map, "commit")) == commit);
    bool own_seed = resumed_ || client_.player().seed().empty();
    if (map) {
      fields::elements(fields::find(*map, "seats"), [&](std::string_view seat) {
        own_seed |= fields::text(fields::find(seat, "client_seed")) ==
                    fair::to_hex(client_.player().seed());
      });
    }
    screen_.line(same_commit && own_seed ? "proof verified ✓"
                 : same_commit           ? "proof verified ✗ (your seed is not in it)"
                               : "proof verified ✗ (the commitment is not the one shown first)");
    return same_commit && own_seed;
  }
  screen_.line("proof verified ✗ (the server gave no proof)");
  return false;
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

void play_run::print_json() const {
  int won = 0, lost = 0, drawn = 0, proofs = 0;
  std::string list;
  for (const auto& one : results_) {
    won += one.result == "won";
    lost += one.result == "lost";
    drawn += one.result == "drawn";
    proofs += one.proof;
    list += (list.empty() ? "" : ",");
    list += "{\"match\":\"" + one.match.to_string() + "\",\"how\":\"" + one.how +
            "\",\"result\":\"" + one.result + "\",\"payout\":" + std::to_string(one.payout) +
            ",\"proof\":" + (one.proof ? "true" : "false") + "}";
  }
  std::printf(
      "{\"player\":\"%s\",\"matches\":%zu,\"won\":%d,\"lost\":%d,\"drawn\":%d,\"balance_before\":%"
      "lld,\"balance_after\":%lld,"
      "\"proofs_verified\":%d,\"reconnects\":%llu,\"results\":[%s]}\n",
      account_.who().player.to_string().c_str(), results_.size(), won, lost, drawn,
      static_cast<long long>(balance_first_), static_cast<long long>(balance_), proofs,
      static_cast<unsigned long long>(client_.reconnects()), list.c_str());
}

}  // namespace

int play(const play_options& options) {
  play_account account{options};
  std::string why;
  if (!account.sign_in(why)) {
    std::fprintf(stderr, "play: %s: %s\n", options.url.c_str(), why.c_str());
    return 1;
  }
  const auto balance = account.balance();
  if (!balance) {
    std::fprintf(
        stderr,
        "play: %s does not tell the balance; is the server starting? Try again in a moment.\n",
        options.url.c_str());
    return 1;
  }
  if (account.started_anew())
    std::fputs("The remembered account has expired; this is a new one.\n", stderr);
  std::printf("%s%s%s plays at %s. Balance %s DEMO.\n", shown_name(account.who().display).c_str(),
              account.name().empty() ? "" : " as ", account.name().c_str(),
              options.server.authority().c_str(), money_text(*balance).c_str());
  asio::io_context io{1};
  int code = 0;
  {
    play_run run{options, io, account, *balance};
    asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&run](const boost::system::error_code& cancelled, int) {
      if (!cancelled) run.leave(true);
    });
    std::optional<keys> input;
    if (!options.automatic || ::isatty(STDIN_FILENO) != 0)
      input.emplace(io, [&run](char key) { run.pressed(key); });
    run.start();
    io.run();
    code = run.exit_code();
    if (options.json) run.print_json();
  }
  return code;
}

}  // namespace baraza::client
