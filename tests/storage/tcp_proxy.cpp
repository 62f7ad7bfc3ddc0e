#include "tests/storage/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace baraza::tests {
namespace {

constexpr int tick_ms = 5;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool send_all(int socket, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const auto n = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

/// What has arrived, waiting at most one tick; `ended` when the peer has closed.
std::string receive(int socket, bool& ended) {
  pollfd wait{socket, POLLIN, 0};
  if (poll(&wait, 1, tick_ms) <= 0) return {};
  std::string bytes(256 * 1024, '\0');
  const auto n = recv(socket, bytes.data(), bytes.size(), 0);
  ended = n <= 0;
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

}  // namespace

tcp_proxy::tcp_proxy(int target, std::string trigger)
    : target_{target}, trigger_{std::move(trigger)} {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error{"the proxy cannot listen"};
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

tcp_proxy::~tcp_proxy() {
  stop_ = true;
  acceptor_.join();
  for (auto& thread : forwarders_) thread.join();
  close(listener_);
}

void tcp_proxy::accept_all() {
  while (!stop_) {
    pollfd wait{listener_, POLLIN, 0};
    if (poll(&wait, 1, tick_ms) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) forwarders_.emplace_back([this, client] { forward(client); });
  }
}

void tcp_proxy::forward(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(target_);
  bool over = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
  auto struck = fault::none;
  bool client_open = true;
  std::string held;
  while (!over && !stop_) {
    bool ended = false;
    if (client_open) {
      const auto request = receive(client, ended);
      if (ended) break;
      const bool hit = armed_ != fault::none && request.find(trigger_) != std::string::npos;
      if (hit) struck = armed_.exchange(fault::none);
      if (struck == fault::lose_request) break;
      if (hit && struck == fault::hold_request)
        held = request;
      else if (!request.empty() && !send_all(server, request))
        break;
      if (hit && (struck == fault::half_open || struck == fault::hold_request)) {
        close(client);
        client_open = false;
      }
    }
    if (!held.empty() && deliver_) {
      send_all(server, held);
      held.clear();
    }
    const auto answer = receive(server, ended);
    if (ended || (!answer.empty() && struck == fault::lose_answer)) break;
    if (client_open && !answer.empty() && !send_all(client, answer)) break;
  }
  if (client_open) close(client);
  close(server);
}

}  // namespace baraza::tests
