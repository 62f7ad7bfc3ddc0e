#include "tests/cluster/link/lossy_proxy.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace baraza::cluster::tests {
namespace {

constexpr int tick_ms = 5;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(port);
  return out;
}

/// Moves what is there; what is to be lost is read and dropped. False: that side has ended.
bool move_bytes(int from, int to, bool lose) {
  char bytes[64 * 1024];
  const auto size = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
  if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
  for (ssize_t sent = 0; !lose && sent < size;) {
    const auto n = send(to, bytes + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return true;
}

}  // namespace

lossy_proxy::lossy_proxy(std::uint16_t target) : target_{target} {
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

lossy_proxy::~lossy_proxy() {
  stop_ = true;
  acceptor_.join();
  for (auto& thread : forwarders_) thread.join();
  close(listener_);
}

void lossy_proxy::accept_all() {
  while (!stop_) {
    pollfd wait{listener_, POLLIN, 0};
    if (poll(&wait, 1, tick_ms) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) forwarders_.emplace_back([this, client] { forward(client); });
  }
}

void lossy_proxy::forward(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(target_);
  bool alive = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  while (alive && !stop_) {
    pollfd wait[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(wait, 2, tick_ms) <= 0) continue;
    if (wait[0].revents != 0) alive = move_bytes(client, server, lose_to_target);
    if (alive && wait[1].revents != 0) alive = move_bytes(server, client, lose_from_target);
  }
  close(client);
  close(server);
}

}  // namespace baraza::cluster::tests
