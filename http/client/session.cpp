#include "http/client/session.hpp"

#include <algorithm>
#include <deque>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "http/client/backoff.hpp"
#include "http/client/limits.hpp"

namespace baraza::client {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ws = boost::beast::websocket;
using tcp = asio::ip::tcp;
using error_code = boost::system::error_code;

namespace {

constexpr std::size_t outbox_frames_max =
    64;  // a client has a handful of requests in flight; more: something is wrong

/// What a connection reports to the session that made it.
struct connection_events {
  std::function<void()> opened;
  std::function<void(std::string_view)> frame;
  std::function<void(error_code, unsigned http_status)> ended;
};

/// One attempt: resolve, connect, (TLS,) upgrade, then frames until the end. It lives as long as an
/// operation is under way.
class connection {
 public:
  virtual ~connection() = default;
  virtual void send(std::string_view frame) = 0;
  /// Ends it; `ended` is not called.
  virtual void close() = 0;
};

template <class Stream>
class connection_over final : public connection,
                              public std::enable_shared_from_this<connection_over<Stream>> {
 public:
  template <class... Arguments>
  connection_over(asio::io_context& io, endpoint server, std::string token, connection_events on,
                  Arguments&... arguments)
      : resolver_{io},
        stream_{io, arguments...},
        server_{std::move(server)},
        token_{std::move(token)},
        on_{std::move(on)} {}

  void start() {
    resolver_.async_resolve(server_.host, std::to_string(server_.port),
                            [self = this->shared_from_this()](
                                error_code why, const tcp::resolver::results_type& found) {
                              if (why) return self->end(why);
                              self->lowest().expires_after(connect_deadline);
                              self->lowest().async_connect(
                                  found, [self](error_code failed, const tcp::endpoint&) {
                                    if (failed) return self->end(failed);
                                    self->connected();
                                  });
                            });
  }

  void send(std::string_view frame) override {
    if (outbox_.size() >= outbox_frames_max) return end(asio::error::no_buffer_space);
    outbox_.emplace_back(frame);
    if (outbox_.size() == 1) write();
  }

  void close() override {
    closed_ = true;
    resolver_.cancel();
    error_code ignored;
    if (lowest().socket().is_open())
      lowest().socket().shutdown(tcp::socket::shutdown_both, ignored);
    lowest().close();
  }

 private:
  auto& lowest() { return beast::get_lowest_layer(stream_); }

  void connected() {
    error_code ignored;
    lowest().socket().set_option(tcp::no_delay{true}, ignored);
    if constexpr (std::is_same_v<Stream, ws::stream<beast::tcp_stream>>) {
      upgrade();
    } else {
      auto& tls = stream_.next_layer();
      SSL_set_tlsext_host_name(tls.native_handle(), server_.host.c_str());
      tls.set_verify_callback(asio::ssl::host_name_verification{server_.host});
      tls.async_handshake(asio::ssl::stream_base::client,
                          [self = this->shared_from_this()](error_code why) {
                            if (why) return self->end(why);
                            self->upgrade();
                          });
    }
  }

  void upgrade() {
    lowest().expires_never();  // the WebSocket has its own timers
    stream_.set_option(ws::stream_base::timeout{connect_deadline, std::chrono::seconds{40}, true});
    stream_.set_option(ws::stream_base::decorator{[this](ws::request_type& request) {
      request.set(http::field::sec_websocket_protocol, "baraza.v1.msgpack");
      request.set(http::field::authorization, "Bearer " + token_);
    }});
    stream_.read_message_max(frame_bytes_max);
    stream_.binary(true);
    stream_.async_handshake(response_, server_.authority(), server_.path,
                            [self = this->shared_from_this()](error_code why) {
                              if (why) return self->end(why, self->response_.result_int());
                              if (self->closed_) return;
                              self->on_.opened();
                              self->read();
                            });
  }

  void read() {
    stream_.async_read(buffer_, [self = this->shared_from_this()](error_code why, std::size_t) {
      if (why) return self->end(why);
      const auto bytes = self->buffer_.cdata();
      if (self->closed_) return;
      self->on_.frame({static_cast<const char*>(bytes.data()), bytes.size()});
      self->buffer_.consume(self->buffer_.size());
      if (!self->closed_) self->read();  // the frame may have made the session close us
    });
  }

  void write() {
    stream_.async_write(asio::buffer(outbox_.front()),
                        [self = this->shared_from_this()](error_code why, std::size_t) {
                          if (why) return self->end(why);
                          self->outbox_.pop_front();
                          if (!self->outbox_.empty()) self->write();
                        });
  }

  void end(error_code why, unsigned status = 0) {
    if (closed_) return;
    close();
    on_.ended(why, status);
  }

  tcp::resolver resolver_;
  Stream stream_;
  endpoint server_;
  std::string token_;
  connection_events on_;
  ws::response_type response_;
  beast::flat_buffer buffer_;
  std::deque<std::string> outbox_;
  bool closed_ = false;
};

problem problem_of(error_code why, unsigned status) {
  if (status >= 400)
    return {"http_" + std::to_string(status),
            "The server answered with status " + std::to_string(status) + "."};
  if (why == asio::error::connection_refused) return {"unreachable", "Nobody answers there."};
  if (why == ws::error::closed || why == asio::error::eof || why == asio::error::connection_reset)
    return {"closed", "The server closed the connection."};
  return {"unreachable", why.message()};
}

}  // namespace

class session::impl : public std::enable_shared_from_this<session::impl> {
 public:
  impl(asio::io_context& io, endpoint server, handlers on)
      : io_{io}, timer_{io}, server_{std::move(server)}, on_{std::move(on)} {
    if (!server_.tls) return;
    tls_.set_default_verify_paths();
    tls_.set_verify_mode(asio::ssl::verify_peer);
  }

  void attempt() {
    connection_events events;
    const std::weak_ptr<impl> weak = weak_from_this();
    events.opened = [weak] {
      if (const auto self = weak.lock()) self->opened();
    };
    events.frame = [weak](std::string_view bytes) {
      if (const auto self = weak.lock(); self && !self->stopped_) self->on_.frame(bytes);
    };
    events.ended = [weak](error_code why, unsigned status) {
      if (const auto self = weak.lock()) self->ended(problem_of(why, status), status);
    };
    const auto launch = [&](auto made) {
      connection_ = made;
      made->start();
    };
    if (server_.tls) {
      launch(std::make_shared<connection_over<ws::stream<beast::ssl_stream<beast::tcp_stream>>>>(
          io_, server_, on_.token(), std::move(events), tls_));
    } else {
      launch(std::make_shared<connection_over<ws::stream<beast::tcp_stream>>>(
          io_, server_, on_.token(), std::move(events)));
    }
  }

  void stop() {
    open_ = false;
    stopped_ = true;
    timer_.cancel();
    if (connection_) connection_->close();
    connection_.reset();
  }

  void reconnect() {
    if (stopped_ || !connection_) return;
    connection_->close();
    ended({"unanswered", "The server did not answer in time."}, 0);
  }

  void send(std::string_view frame) {
    if (open_) connection_->send(frame);
  }

  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] std::uint64_t reconnects() const { return opens_ > 0 ? opens_ - 1 : 0; }

 private:
  void opened() {
    open_ = true;
    ++opens_;
    pause_ = backoff_first;
    refused_ = 0;
    on_.opened();
  }

  void ended(const problem& why, unsigned status) {
    open_ = false;
    connection_.reset();
    if (stopped_) return;
    auto again = jittered(pause_);
    pause_ = std::min<std::chrono::milliseconds>(pause_ * 2, backoff_last);
    // A renewed token is tried at once, but a server that refuses every token gets no storm.
    if (status == 401 && on_.unauthorised() && ++refused_ <= 2) again = 0ms;
    on_.closed(why, again);
    if (stopped_) return;
    timer_.expires_after(again);
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
      if (const auto self = weak.lock(); self && !cancelled && !self->stopped_) self->attempt();
    });
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  endpoint server_;
  handlers on_;
  std::shared_ptr<connection> connection_;
  std::chrono::milliseconds pause_{backoff_first};
  bool open_ = false, stopped_ = false;
  int refused_ = 0;
  std::uint64_t opens_ = 0;
};

session::session(asio::io_context& io, endpoint server, handlers on)
    : impl_{std::make_shared<impl>(io, std::move(server), std::move(on))} {}
session::~session() { impl_->stop(); }
void session::start() { impl_->attempt(); }
void session::stop() { impl_->stop(); }
void session::reconnect() { impl_->reconnect(); }
void session::send(std::string_view frame) { impl_->send(frame); }
bool session::is_open() const { return impl_->is_open(); }
std::uint64_t session::reconnects() const { return impl_->reconnects(); }

}  // namespace baraza::client
