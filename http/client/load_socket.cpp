#include "http/client/load_socket.hpp"

#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace baraza::client {
namespace {

// Shared by all sockets of the one thread: whole frames are parsed where they arrive.
thread_local std::array<char, 64 * 1024> arrivals;

}  // namespace

load_socket::load_socket(load_socket&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)},
      epoll_{other.epoll_},
      tag_{other.tag_},
      state_{std::exchange(other.state_, state::closed)},
      writing_{other.writing_},
      status_{other.status_},
      mask_{other.mask_},
      key_{std::move(other.key_)},
      in_{std::move(other.in_)},
      out_{std::move(other.out_)},
      message_{std::move(other.message_)} {}

bool load_socket::connect(int epoll, std::uint64_t tag, const sockaddr_storage& to, socklen_t size,
                          const std::optional<sockaddr_in>& from, const std::string& upgrade,
                          std::string key) {
  close();
  fd_ = ::socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from) {  // if it fails, the kernel's own choice of a source is as good
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    (void)::bind(fd_, reinterpret_cast<const sockaddr*>(&*from), sizeof *from);
  }
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), size) != 0 && errno != EINPROGRESS) {
    ::close(std::exchange(fd_, -1));
    return false;
  }
  epoll_ = epoll;
  tag_ = tag;
  key_ = std::move(key);
  out_ = upgrade;
  mask_ = randombytes_random();
  status_ = 0;
  state_ = state::connecting;
  writing_ = true;
  epoll_event interest{};
  interest.events = EPOLLIN | EPOLLOUT;
  interest.data.u64 = tag;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &interest) == 0;
}

void load_socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));  // leaves the epoll set by itself
  state_ = state::closed;
  in_.clear();
  out_.clear();
  message_.clear();
}

void load_socket::send(std::string_view payload) {
  if (state_ != state::open) return;
  mask_ = mask_ * 1664525 + 1013904223;
  websocket::append_frame(out_, websocket::opcode::binary, payload, mask_);
  if (!flush()) ::shutdown(fd_, SHUT_RDWR);  // the next readiness reports the end
}

bool load_socket::flush() {
  if (state_ == state::connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return false;
    state_ = state::upgrading;
  }
  while (!out_.empty()) {
    const ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent < 0) return (errno == EAGAIN || errno == EINTR) && want_write(true);
    out_.erase(0, static_cast<std::size_t>(sent));
  }
  return !writing_ || want_write(false);
}

bool load_socket::want_write(bool on) {
  if (writing_ == on) return true;
  writing_ = on;
  epoll_event interest{};
  interest.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
  interest.data.u64 = tag_;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &interest) == 0;
}

bool load_socket::read_some(std::string_view& bytes, bool& full) {
  full = false;
  const ssize_t got = ::recv(fd_, arrivals.data(), arrivals.size(), 0);
  if (got == 0) return false;
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  full = static_cast<std::size_t>(got) == arrivals.size();
  bytes = {arrivals.data(), static_cast<std::size_t>(got)};
  if (!in_.empty()) {
    in_ += bytes;
    bytes = in_;
  }
  return true;
}

void load_socket::keep(std::string_view rest) {
  if (rest.empty()) {
    if (!rest.data()) return;  // nothing was read: leftovers stay
    in_.clear();
  } else if (!in_.empty()) {
    in_.erase(0, in_.size() - rest.size());
  } else {
    in_ = rest;
  }
}

bool load_socket::finish_upgrade(std::string_view& bytes) {
  std::size_t used = 0;
  switch (websocket::read_upgrade(bytes, key_, used, status_)) {
    case websocket::upgrade::incomplete:
      return true;
    case websocket::upgrade::refused:
      return false;
    case websocket::upgrade::accepted:
      break;
  }
  bytes.remove_prefix(used);
  status_ = 0;
  state_ = state::open;
  return true;
}

}  // namespace baraza::client
