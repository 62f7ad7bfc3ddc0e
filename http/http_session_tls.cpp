#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "http/http_session.hpp"

namespace baraza::http {
namespace {

using tls_session = http_session<asio::ssl::stream<plain_socket>>;

bool is_plain_http(const boost::system::error_code& why) {
  return why.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(why.value())) == SSL_R_HTTP_REQUEST;
}

/// Tells whoever spoke HTTP to this port, under the deadline of the handshake.
void answer_in_plain(const std::shared_ptr<tls_session>& session) {
  static const std::string answer =
      serialise(error_response(400, "bad_request", "This port speaks TLS: use https or wss.", ""),
                "", false, false);
  asio::async_write(session->stream().next_layer(), asio::buffer(answer),
                    [session](boost::system::error_code, std::size_t) {
                      io_thread::disarm(*session);
                      boost::system::error_code ignored;
                      session->stream().next_layer().shutdown(tcp::socket::shutdown_both, ignored);
                    });
}

}  // namespace

void start_tls_session(const session_origin& from, plain_socket socket, socket_place place,
                       asio::ssl::context& tls) {
  auto& counters = from.thread.counters();
  auto session = std::make_shared<tls_session>(
      from, asio::ssl::stream<plain_socket>{std::move(socket), tls}, std::move(place));
  session->arm_tls();
  session->stream().async_handshake(asio::ssl::stream_base::server,
                                    [session, &counters](boost::system::error_code why) {
                                      if (!why) return session->read_request();
                                      counters.refuse(refusal_reason::tls);
                                      if (is_plain_http(why)) return answer_in_plain(session);
                                      io_thread::disarm(*session);
                                    });
}

}  // namespace baraza::http
