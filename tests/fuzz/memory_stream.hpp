// A stream between a test and a session, without a socket: the session reads given bytes in pieces,
// then the end, and what it writes is kept. Speaks Asio's stream concept, so that the real session
// code runs on it, WebSocket included.
#pragma once

#include <algorithm>
#include <boost/asio/append.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/role.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "http/asio.hpp"

namespace baraza::fuzz {

/// Both directions of one connection. The last who lets go of it calls `done` with what was
/// written.
struct memory_pipe {
  memory_pipe(http::asio::io_context& on, std::string bytes, std::size_t piece_bytes,
              std::function<void(std::string)> when_done)
      : io{on}, in{std::move(bytes)}, piece{piece_bytes}, done{std::move(when_done)} {}
  ~memory_pipe() { done(std::move(out)); }
  memory_pipe(const memory_pipe&) = delete;
  memory_pipe& operator=(const memory_pipe&) = delete;

  http::asio::io_context& io;
  const std::string in;
  std::string out;
  std::size_t taken = 0;
  const std::size_t piece;  // bytes a read gets at most, ≥ 1
  bool halts = false;  // a piece ends behind each blank line, as if an answer was awaited there
  bool open = true, writable = true;
  const std::function<void(std::string)> done;
};

class memory_stream {
 public:
  using executor_type = http::asio::io_context::executor_type;
  using error = boost::system::error_code;

  explicit memory_stream(std::shared_ptr<memory_pipe> pipe) : pipe_{std::move(pipe)} {}
  executor_type get_executor() { return pipe_->io.get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& into, Token&& token) {
    return http::asio::async_initiate<Token, void(error, std::size_t)>(
        [pipe = pipe_](auto handler, const Buffers& to) {
          error why;
          std::size_t n = 0;
          if (!pipe->open) {
            why = http::asio::error::operation_aborted;
          } else if (pipe->taken == pipe->in.size()) {
            why = http::asio::error::eof;
          } else {
            auto left = std::min(pipe->piece, pipe->in.size() - pipe->taken);
            if (pipe->halts) {
              const auto blank = pipe->in.find("\r\n\r\n", pipe->taken);
              if (blank != std::string::npos) left = std::min(left, blank + 4 - pipe->taken);
            }
            n = http::asio::buffer_copy(to,
                                        http::asio::buffer(pipe->in.data() + pipe->taken, left));
            pipe->taken += n;
          }
          http::asio::post(pipe->io, http::asio::append(std::move(handler), why, n));
        },
        token, into);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& from, Token&& token) {
    return http::asio::async_initiate<Token, void(error, std::size_t)>(
        [pipe = pipe_](auto handler, const Buffers& bytes) {
          error why;
          std::size_t n = 0;
          if (!pipe->open || !pipe->writable) {
            why = http::asio::error::broken_pipe;
          } else {
            n = http::asio::buffer_size(bytes);
            const auto before = pipe->out.size();
            pipe->out.resize(before + n);
            http::asio::buffer_copy(http::asio::buffer(pipe->out.data() + before, n), bytes);
          }
          http::asio::post(pipe->io, http::asio::append(std::move(handler), why, n));
        },
        token, from);
  }

  void close(error& why) {
    why = {};
    pipe_->open = false;
  }
  void shutdown(http::asio::socket_base::shutdown_type, error& why) {
    why = {};
    pipe_->writable = false;
  }

  // What Beast asks of a stream under WebSocket.
  friend void beast_close_socket(memory_stream& s) {
    error why;
    s.close(why);
  }
  friend void teardown(boost::beast::role_type, memory_stream& s, error& why) { s.close(why); }
  template <class Handler>
  friend void async_teardown(boost::beast::role_type, memory_stream& s, Handler&& handler) {
    error why;
    s.close(why);
    http::asio::post(s.pipe_->io, http::asio::append(std::forward<Handler>(handler), why));
  }

 private:
  std::shared_ptr<memory_pipe> pipe_;
};

}  // namespace baraza::fuzz
