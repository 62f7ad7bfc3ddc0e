#include "http/client/house_bot.hpp"

#include <atomic>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/client/draw_table.hpp"
#include "http/client/fields.hpp"
#include "http/client/house_account.hpp"
#include "http/client/http_api.hpp"
#include "http/client/limits.hpp"
#include "http/client/seat_client.hpp"

namespace baraza::client {

namespace asio = boost::asio;

namespace {

constexpr auto queue_again_after = 1s;
constexpr auto account_again_after = 500ms;
constexpr std::uint64_t purse_every = 16;  // matches between looks at the balance
constexpr std::int64_t purse_stakes =
    20;  // with fewer left than a look apart may cost, a new account takes the seat

/// One account in one lobby.
class bot_seat final : public match_player::listener {
 public:
  bot_seat(asio::io_context& io, const endpoint& server, std::unique_ptr<house_account> who,
           std::uint8_t best_of, std::int64_t stake, int thinking_ms,
           std::atomic<std::uint64_t>& matches)
      : server_{server},
        account_{std::move(who)},
        best_of_{best_of},
        stake_{stake},
        thinking_{thinking_ms},
        matches_{matches},
        pause_{io},
        client_{io, server, options_of(stake), *this, handlers()} {}

  void start() {
    if (account_->match().is_nil()) {
      client_.player().queue(now());
    } else {
      client_.player().resume(account_->match(), now());
    }
    client_.start();
  }

  void send(std::string_view) override {}
  void happened(const table_event& event) override {
    if (event.type == "started") {
      draw_.begin(best_of_, client_.player().seat());
      account_->remember(client_.player().table());
    }
    if (event.type == "game") draw_.happened(fields::find(event.body, "game"));
  }
  void viewed(std::string_view view) override {
    draw_.viewed(fields::find(view, "state"), client_.player().seat());
  }
  void refused(std::string_view what, const problem&) override {
    if (what == "join") later(queue_again_after, [this] { client_.player().queue(now()); });
  }
  void over(std::string_view how, std::string_view) override {
    account_->remember({});
    const bool ended = how == "ended";
    if (ended) ++matches_;
    // A seat whose buy-in is refused would spoil one match after another for whoever sits opposite.
    if (!ended || ++played_ % purse_every == 0) fill_purse();
    later(ended ? 0ms : queue_again_after, [this] { client_.player().queue(now()); });
  }

 private:
  static time_point now() { return std::chrono::steady_clock::now(); }

  match_player::options options_of(std::int64_t stake) const {
    match_player::options out;
    out.game_options = draw_options(best_of_);
    out.stake = stake;
    out.self = account_->who().player;
    return out;
  }

  bool renew(http_api& api) {
    if (!account_->renew(api)) return false;
    client_.player().set_options(options_of(stake_));  // it may be a new player
    return true;
  }

  void fill_purse() {
    http_api api{server_};
    auto balance = api.balance(account_->who(), "DEMO");
    if (const auto* why = std::get_if<problem>(&balance);
        why && why->code == "unauthorized" && renew(api))
      balance = api.balance(account_->who(), "DEMO");
    const auto* amount = std::get_if<std::int64_t>(&balance);
    if (!amount || *amount >= purse_stakes * stake_) return;
    if (!account_->start_anew(api)) return;
    client_.player().set_options(options_of(stake_));
    asio::post(pause_.get_executor(), [this] { client_.reconnect(); });  // not from within a frame
  }

  seat_client::handlers handlers() {
    seat_client::handlers on;
    on.token = [this] { return account_->who().access; };
    on.unauthorised = [this] {
      http_api api{server_};
      return renew(api);
    };
    on.settled = [this](std::string_view) { consider(); };
    return on;
  }

  void consider() {
    if (thinking_now_ || !may_act()) return;
    later(std::chrono::milliseconds{thinking_}, [this] {
      thinking_now_ = false;
      if (may_act()) client_.player().act(std::string{draw_command()}, now());
    });
    thinking_now_ = true;
  }
  bool may_act() {
    return client_.player().where() == phase::playing && !client_.player().busy() &&
           draw_.may_draw();
  }

  template <class Then>
  void later(std::chrono::milliseconds pause, Then then) {
    pause_.expires_after(pause);  // replaces what was planned: a finished match needs no card
    thinking_now_ = false;
    pause_.async_wait([then](const boost::system::error_code& cancelled) mutable {
      if (!cancelled) then();
    });
  }

  endpoint server_;
  std::unique_ptr<house_account> account_;
  std::uint8_t best_of_;
  std::int64_t stake_;
  int thinking_;
  std::uint64_t played_ = 0;
  std::atomic<std::uint64_t>& matches_;
  bool thinking_now_ = false;
  draw_table draw_;
  asio::steady_timer pause_;
  seat_client client_;
};

}  // namespace

class house_bot::impl {
 public:
  impl(endpoint server, house_bot_options options)
      : server_{std::move(server)}, options_{std::move(options)} {
    thread_ = std::thread{[this] { run(); }};
  }
  ~impl() {
    stopping_ = true;
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t matches() const { return matches_; }

 private:
  void run() {
    http_api api{server_};
    for (const std::uint8_t best_of : options_.best_of) {
      for (const std::int64_t stake : options_.stakes) {
        auto who = signed_in(
            api, "best-of-" + std::to_string(best_of) + "-stake-" + std::to_string(stake));
        if (!who) return;
        seats_.push_back(std::make_unique<bot_seat>(io_, server_, std::move(who), best_of, stake,
                                                    options_.thinking_ms, matches_));
        seats_.back()->start();
        io_.poll();  // the first lobbies are served while accounts for the last are made
      }
    }
    const auto work = asio::make_work_guard(io_);
    if (!stopping_) io_.run();
    seats_.clear();
  }

  /// Null: the bot is to stop.
  std::unique_ptr<house_account> signed_in(http_api& api, const std::string& seat) {
    auto out = std::make_unique<house_account>(options_.folder, seat, options_.display);
    while (!stopping_) {
      if (out->sign_in(api)) return out;
      std::this_thread::sleep_for(
          account_again_after);  // the server is starting, or counts us against its rate
    }
    return nullptr;
  }

  endpoint server_;
  house_bot_options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> matches_{0};
  asio::io_context io_{1};
  std::vector<std::unique_ptr<bot_seat>> seats_;
  std::thread thread_;
};

house_bot::house_bot() = default;
house_bot::~house_bot() = default;

bool house_bot::start(std::string_view url, house_bot_options options) {
  const auto server = parse_url(url);
  if (!server) return false;
  impl_ = std::make_unique<impl>(*server, std::move(options));
  return true;
}
void house_bot::stop() { impl_.reset(); }
std::uint64_t house_bot::matches() const { return impl_ ? impl_->matches() : 0; }

}  // namespace baraza::client
