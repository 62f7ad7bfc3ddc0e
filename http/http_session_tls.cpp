#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include "http/http_session.hpp"

namespace baraza::http {

void start_tls_session(const session_origin& from, plain_socket socket, socket_place place,
                       asio::ssl::context& tls) {
  using stream = asio::ssl::stream<plain_socket>;
  auto session = std::make_shared<http_session<stream>>(from, stream{std::move(socket), tls},
                                                        std::move(place));
  session->arm_tls();
  session->stream().async_handshake(asio::ssl::stream_base::server,
                                    [session](boost::system::error_code why) {
                                      if (why) return io_thread::disarm(*session);
                                      session->read_request();
                                    });
}

}  // namespace baraza::http
