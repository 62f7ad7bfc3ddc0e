// One player over one self-healing connection: session, match_player and their timer. `play` has
// one, the house bot several.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/client/match_player.hpp"
#include "http/client/session.hpp"

namespace baraza::client {

class seat_client {
 public:
  struct handlers {
    std::function<std::string()> token;
    std::function<bool()> unauthorised;
    std::function<void()> opened = [] {};
    std::function<void(const problem&, std::chrono::milliseconds again)> closed = [](const problem&,
                                                                                     auto) {};
    std::function<void(std::string_view frame)> settled = [](std::string_view) {
    };  // after each frame was handled
  };

  /// @param game hears what happens at the table; its send() is never called by this class's
  /// machine
  seat_client(boost::asio::io_context& io, const endpoint& server, match_player::options what,
              match_player::listener& game, handlers on);
  ~seat_client();
  seat_client(const seat_client&) = delete;
  seat_client& operator=(const seat_client&) = delete;

  void start();
  void stop();
  /// Ends the connection and makes a new one, with the token that is then asked for.
  void reconnect();
  [[nodiscard]] match_player& player();
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] std::uint64_t reconnects() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace baraza::client
