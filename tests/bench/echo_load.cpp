#include "tests/bench/echo_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace baraza::tests {
namespace {

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error{"cannot connect"};
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void upgrade(int fd) {
  const std::string ask =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  if (::send(fd, ask.data(), ask.size(), 0) != static_cast<ssize_t>(ask.size()))
    throw std::runtime_error{"cannot ask for the upgrade"};
  std::string got;
  std::array<char, 512> some{};
  while (got.find("\r\n\r\n") == std::string::npos) {
    const auto n = ::recv(fd, some.data(), some.size(), 0);
    if (n <= 0 || got.size() > 4096) throw std::runtime_error{"the upgrade was refused"};
    got.append(some.data(), static_cast<std::size_t>(n));
  }
}

/// What one turn sends: a masked frame (its key zero, so that the payload is as it is), or bytes.
std::string message(bool websocket) {
  std::string out;
  if (websocket) {
    out += static_cast<char>(0x82);
    out += static_cast<char>(0x80 | echo_payload);
    out.append(4, '\0');
  }
  return out + std::string(echo_payload, 'x');
}

struct pair {
  std::array<int, 2> fd{};
  std::array<std::size_t, 2> got{};
  int turn = 0;
};

}  // namespace

std::uint64_t run_echo_load(const echo_load& what) {
  const auto ask = message(what.websocket);
  const std::size_t answer = echo_payload + (what.websocket ? 2 : 0);
  const int epoll = ::epoll_create1(0);
  std::vector<pair> pairs(what.pairs);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    for (std::uint64_t side = 0; side < 2; ++side) {
      auto& fd = pairs[i].fd[side];
      fd = connect_to(what.port);
      if (what.websocket) upgrade(fd);
      epoll_event event{EPOLLIN, {.u64 = i * 2 + side}};
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
  }
  const auto send = [&](const pair& p) {
    if (::send(p.fd[static_cast<std::size_t>(p.turn)], ask.data(), ask.size(), 0) < 0)
      throw std::runtime_error{"cannot send"};
  };
  for (const auto& p : pairs) send(p);
  std::uint64_t exchanges = 0;
  std::array<epoll_event, 256> events{};
  std::array<char, 4096> bytes{};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{what.seconds};
  while (std::chrono::steady_clock::now() < end) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < ready; ++i) {
      auto& p = pairs[events[static_cast<std::size_t>(i)].data.u64 / 2];
      const auto side = events[static_cast<std::size_t>(i)].data.u64 % 2;
      const auto n = ::recv(p.fd[side], bytes.data(), bytes.size(), 0);
      if (n <= 0) throw std::runtime_error{"the server hung up"};
      p.got[side] += static_cast<std::size_t>(n);
      if (p.got[0] < answer || p.got[1] < answer) continue;
      p.got = {};
      p.turn ^= 1;
      ++exchanges;
      send(p);
    }
  }
  for (const auto& p : pairs)
    for (const int fd : p.fd) ::close(fd);
  ::close(epoll);
  return exchanges;
}

double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace baraza::tests
