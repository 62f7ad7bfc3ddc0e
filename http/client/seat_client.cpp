#include "http/client/seat_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace baraza::client {

namespace asio = boost::asio;

namespace {
constexpr std::chrono::milliseconds tick_every{50};
}

class seat_client::impl final : public match_player::listener {
 public:
  impl(asio::io_context& io, const endpoint& server, match_player::options what,
       match_player::listener& game, handlers on)
      : game_{game},
        on_{std::move(on)},
        timer_{io},
        player_{std::move(what), *this},
        session_{io, server, session_handlers()} {}

  void start() {
    session_.start();
    tick();
  }
  void stop() {
    timer_.cancel();
    session_.stop();
  }
  void reconnect() { session_.reconnect(); }
  match_player& player() { return player_; }
  [[nodiscard]] const session& connection() const { return session_; }

  void send(std::string_view frame) override { session_.send(frame); }
  void matched(std::string_view fields) override { game_.matched(fields); }
  void happened(const table_event& event) override { game_.happened(event); }
  void viewed(std::string_view view) override { game_.viewed(view); }
  void acknowledged(std::uint64_t command, std::uint64_t seq, time_point sent) override {
    game_.acknowledged(command, seq, sent);
  }
  void refused(std::string_view what, const problem& why) override { game_.refused(what, why); }
  void over(std::string_view how, std::string_view event) override { game_.over(how, event); }
  void pushed(std::string_view type, std::string_view frame) override { game_.pushed(type, frame); }

 private:
  static time_point now() { return std::chrono::steady_clock::now(); }

  session::handlers session_handlers() {
    return {.token = [this] { return on_.token(); },
            .unauthorised = [this] { return on_.unauthorised(); },
            .opened =
                [this] {
                  player_.online(now());
                  on_.opened();
                },
            .frame =
                [this](std::string_view frame) {
                  player_.receive(frame, now());
                  on_.settled(frame);
                },
            .closed =
                [this](const problem& why, std::chrono::milliseconds again) {
                  player_.offline();
                  on_.closed(why, again);
                }};
  }

  void tick() {
    timer_.expires_after(tick_every);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      if (player_.tick(now())) session_.reconnect();
      tick();
    });
  }

  match_player::listener& game_;
  handlers on_;
  asio::steady_timer timer_;
  match_player player_;
  session session_;
};

seat_client::seat_client(asio::io_context& io, const endpoint& server, match_player::options what,
                         match_player::listener& game, handlers on)
    : impl_{std::make_unique<impl>(io, server, std::move(what), game, std::move(on))} {}
seat_client::~seat_client() { impl_->stop(); }
void seat_client::start() { impl_->start(); }
void seat_client::stop() { impl_->stop(); }
void seat_client::reconnect() { impl_->reconnect(); }
match_player& seat_client::player() { return impl_->player(); }
bool seat_client::is_open() const { return impl_->connection().is_open(); }
std::uint64_t seat_client::reconnects() const { return impl_->connection().reconnects(); }

}  // namespace baraza::client
