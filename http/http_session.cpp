#include "http/http_session.hpp"

namespace baraza::http {

void start_plain_session(const session_origin& from, plain_socket socket, socket_place place) {
  std::make_shared<http_session<plain_socket>>(from, std::move(socket), std::move(place))
      ->read_request();
}

}  // namespace baraza::http
