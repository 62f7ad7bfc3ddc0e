// A player's connection to /v1/play that comes back by itself: WebSocket over TCP or TLS, one
// binary message a frame, reconnecting with bounded exponential backoff and jitter until stopped.
// Asynchronous; one io_context, one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/client/account.hpp"
#include "http/client/endpoint.hpp"

namespace boost::asio {
class io_context;
}

namespace baraza::client {

class session {
 public:
  struct handlers {
    /// The token for the next handshake.
    std::function<std::string()> token;
    /// The server refused the token (401). True: token() has a new one, try again at once.
    std::function<bool()> unauthorised;
    std::function<void()> opened;
    std::function<void(std::string_view frame)> frame;
    /// The connection ended or could not be made; the next attempt comes in `again`.
    std::function<void(const problem& why, std::chrono::milliseconds again)> closed;
  };

  session(boost::asio::io_context& io, endpoint server, handlers on);
  ~session();  // closes
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void start();
  /// Ends the connection and all attempts; no handler is called afterwards.
  void stop();
  /// Ends the connection and makes a new one: a request was not answered in time.
  void reconnect();
  /// One binary message; dropped while not connected (the match_player repeats what matters).
  void send(std::string_view frame);
  [[nodiscard]] bool is_open() const;
  /// Connections that opened after the first.
  [[nodiscard]] std::uint64_t reconnects() const;

 private:
  class impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace baraza::client
