// Plain blocking sockets with a limit on every wait.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

namespace baraza::tests {

class tcp_socket {
 public:
  tcp_socket() = default;
  explicit tcp_socket(int fd) : fd_{fd} {}
  tcp_socket(tcp_socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  tcp_socket& operator=(tcp_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~tcp_socket() { close(); }

  static sockaddr_in address(const std::string& host, std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, host.c_str(), &at.sin_addr);
    at.sin_port = htons(port);
    return at;
  }
  /// @param from the address it leaves from; empty: any
  /// @returns 0, or the error
  int connect(std::uint16_t port, const std::string& from = {}) {
    close();
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto source = address(from.empty() ? "0.0.0.0" : from, 0);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) return errno;
    const auto to = address("127.0.0.1", port);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
  }
  /// @returns the port
  std::uint16_t listen(std::uint16_t port = 0) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto at = address("127.0.0.1", port);
    socklen_t size = sizeof at;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(fd_, 8) != 0) return 0;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }
  [[nodiscard]] tcp_socket accept(int limit_ms = 5000) const {
    return tcp_socket{has_input(limit_ms) ? accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC) : -1};
  }
  [[nodiscard]] bool has_input(int limit_ms) const {
    pollfd wait{fd_, POLLIN, 0};
    return poll(&wait, 1, limit_ms) > 0;
  }
  [[nodiscard]] bool send(const std::string& bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  /// What has come after at most `limit_ms`: bytes, "(nothing)", "(end)" or "(reset)".
  [[nodiscard]] std::string receive(int limit_ms = 5000) const {
    if (!has_input(limit_ms)) return "(nothing)";
    char bytes[4096];
    const auto n = recv(fd_, bytes, sizeof bytes, 0);
    if (n < 0) return "(reset)";
    return n == 0 ? "(end)" : std::string(bytes, static_cast<std::size_t>(n));
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  /// Ends it as a killed process with unread input does.
  void reset() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace baraza::tests
