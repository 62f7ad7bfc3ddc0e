#include "cluster/local/http_get.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/local/limits.hpp"

namespace baraza::cluster::local {
namespace {

using clock = std::chrono::steady_clock;

/// One question on its way: connecting, asking, listening.
struct exchange {
  int socket = -1;
  bool is_asked = false;
  std::string request, answer;

  explicit exchange(const http_question& what) {
    request = "GET " + what.path + " HTTP/1.1\r\nHost: " + what.address + ":" +
              std::to_string(what.port) + "\r\nConnection: close\r\n\r\n";
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(what.port);
    inet_pton(AF_INET, what.address.c_str(), &to.sin_addr);
    if (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
        errno != EINPROGRESS)
      end();
  }
  void end() {
    if (socket >= 0) ::close(socket);
    socket = -1;
  }
  /// The socket can be written or read.
  void go_on() {
    if (!is_asked) {
      // A request is a few dozen bytes: a fresh socket takes all of it.
      is_asked = true;
      if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) end();
      return;
    }
    char bytes[16 * 1024];
    const auto n = recv(socket, bytes, sizeof bytes, 0);
    if (n > 0) answer.append(bytes, static_cast<std::size_t>(n));
    if (n <= 0 || answer.size() > probe_bytes_max) end();
  }
};

http_reply parsed(const std::string& answer) {
  http_reply out;
  const auto space = answer.find(' ');
  const auto head_end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || head_end == std::string::npos) return out;
  out.status = std::atoi(answer.c_str() + space + 1);
  out.body = answer.substr(head_end + 4);
  return out;
}

}  // namespace

std::vector<http_reply> http_get(const std::vector<http_question>& questions,
                                 std::chrono::milliseconds limit) {
  const auto until = clock::now() + limit;
  std::vector<exchange> all;
  all.reserve(questions.size());
  for (const auto& each : questions) all.emplace_back(each);
  for (;;) {
    std::vector<pollfd> waits;
    std::vector<exchange*> whose;
    for (auto& each : all) {
      if (each.socket < 0) continue;
      waits.push_back({each.socket, static_cast<short>(each.is_asked ? POLLIN : POLLOUT), 0});
      whose.push_back(&each);
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
    if (waits.empty() || left.count() <= 0) break;
    if (poll(waits.data(), waits.size(), static_cast<int>(left.count())) <= 0) break;
    for (std::size_t i = 0; i < waits.size(); ++i)
      if (waits[i].revents != 0) whose[i]->go_on();
  }
  std::vector<http_reply> out;
  for (auto& each : all) {
    each.end();
    out.push_back(parsed(each.answer));
  }
  return out;
}

}  // namespace baraza::cluster::local
