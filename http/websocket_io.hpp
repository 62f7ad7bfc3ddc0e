// Beast's WebSocket stream under a websocket_session. Included only where sessions are
// instantiated.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "http/websocket_session.hpp"

namespace baraza::http {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

inline constexpr char subprotocol_msgpack[] = "baraza.v1.msgpack";
inline constexpr char subprotocol_json[] = "baraza.v1.json";

template <class Stream>
class websocket_io final : public websocket_session {
 public:
  using upgrade = beast::http::request<beast::http::string_body>;

  websocket_io(const session_origin& from, socket_place place, const address& client,
               wire::encoding encoding, Stream stream)
      : websocket_session{from, std::move(place), client, encoding},
        socket_{std::in_place, std::move(stream)} {
    socket_->auto_fragment(false);  // and no write buffer of its own
    socket_->read_message_max(from.shared.options.frame_bytes_max);
    socket_->binary(encoding == wire::encoding::msgpack);
    // One wheel a thread keeps all deadlines; a timer a socket would cost memory and wake-ups.
    socket_->set_option(websocket::stream_base::timeout{websocket::stream_base::none(),
                                                        websocket::stream_base::none(), false});
    socket_->control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind != websocket::frame_type::close) control_received();
    });
  }

  /// @param within for the handshake's answer to leave
  void accept(const upgrade& from, bool names_subprotocol, std::optional<caller> who,
              std::chrono::milliseconds within) {
    socket_->set_option(websocket::stream_base::decorator(
        [json = how() == wire::encoding::json, names_subprotocol](auto& response) {
          response.set(beast::http::field::server, "baraza");
          if (names_subprotocol) {
            response.set(beast::http::field::sec_websocket_protocol,
                         json ? subprotocol_json : subprotocol_msgpack);
          }
        }));
    thread_.arm(shared_from_this(), within);
    socket_->async_accept(from,
                          [self = self(), who = std::move(who)](beast::error_code why) mutable {
                            if (why) return self->gone();
                            self->opened(std::move(who));
                            self->read();
                          });
  }

 private:
  // Small, because 20,000 idle sessions each wait with a buffer of this size; larger messages grow
  // it and let it go again.
  static constexpr std::size_t read_bytes = 512;

  std::shared_ptr<websocket_io> self() {
    return std::static_pointer_cast<websocket_io>(shared_from_this());
  }

  void read() {
    socket_->async_read_some(
        buffer_, read_bytes, [self = self()](beast::error_code why, std::size_t) {
          if (why) return self->gone();
          if (self->socket_->is_message_done()) {
            const auto data = self->buffer_.cdata();
            self->received({static_cast<const char*>(data.data()), data.size()},
                           self->socket_->got_text());
            self->buffer_.consume(data.size());
            if (self->buffer_.capacity() > 4 * read_bytes) self->buffer_ = beast::flat_buffer{};
          }
          // What follows is the closing handshake's to read: see drop().
          if (!self->is_closing()) self->read();
        });
  }

  void write(const std::string& frame) override {
    socket_->async_write(asio::buffer(frame), [self = self()](beast::error_code why, std::size_t) {
      if (why) return self->gone();
      self->sent();
    });
  }
  void start_ping() override {
    socket_->async_ping({}, [self = self()](beast::error_code) {});
  }
  void start_close(std::uint16_t code, std::string_view reason) override {
    const websocket::close_reason what{static_cast<websocket::close_code>(code),
                                       beast::string_view{reason.data(), reason.size()}};
    socket_->async_close(what, [self = self()](beast::error_code) { self->gone(); });
  }
  void abort() override {
    boost::system::error_code ignored;
    if (socket_) beast::get_lowest_layer(*socket_).close(ignored);
  }
  /// A violation of the protocol that is read while our close frame is on its way leaves Beast's
  /// two operations waiting for each other for ever (Boost 1.74 to 1.81), each with a share of this
  /// session: its place among the sockets would be lost. Nothing but the stream's end frees them.
  void drop() override {
    abort();
    socket_.reset();
  }

  std::optional<websocket::stream<Stream, false>> socket_;  // nothing once dropped
  beast::flat_buffer buffer_;
};

}  // namespace baraza::http
