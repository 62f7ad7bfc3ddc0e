#include "tests/http/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>
#include <utility>

#include "http/wire.hpp"

namespace baraza::http::tests {

// polls: callers try again until a deadline of their own
void brief_pause() { std::this_thread::sleep_for(1ms); }

std::string http_answer::field(std::string_view name) const {
  const auto at = head.find("\r\n" + std::string{name} + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

int ws_frame::close_code() const {
  if (opcode != 8 || payload.size() < 2) return 0;
  return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
}

raw_client::raw_client(const char* address, std::uint16_t port, int receive_buffer)
    : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  if (receive_buffer > 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address, &to.sin_addr) != 1) throw std::runtime_error{"no address"};
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error{"cannot connect"};
}
raw_client::~raw_client() {
  if (fd_ >= 0) ::close(fd_);
}
raw_client::raw_client(raw_client&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, in_{std::move(other.in_)}, ended_{other.ended_} {}

bool raw_client::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool raw_client::fill(std::chrono::steady_clock::time_point until) {
  if (ended_) return false;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                        until - std::chrono::steady_clock::now())
                        .count();
  pollfd one{fd_, POLLIN, 0};
  if (left <= 0 || ::poll(&one, 1, static_cast<int>(left)) <= 0) return false;
  char chunk[16384];
  const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
  if (n <= 0) {
    ended_ = true;
    return false;
  }
  in_.append(chunk, static_cast<std::size_t>(n));
  return true;
}

bool raw_client::read_until(std::string_view wanted, std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (in_.find(wanted) == std::string::npos) {
    if (!fill(until)) return false;
  }
  return true;
}

http_answer raw_client::read_answer() {
  http_answer out;
  if (!read_until("\r\n\r\n")) return out;
  const auto end = in_.find("\r\n\r\n") + 4;
  out.head = in_.substr(0, end);
  in_.erase(0, end);
  if (out.head.size() > 12) out.status = std::stoi(out.head.substr(9, 3));
  const auto length = out.field("Content-Length");
  const std::size_t bytes = length.empty() ? 0 : std::stoul(length);
  const auto until = std::chrono::steady_clock::now() + patience;
  while (in_.size() < bytes && fill(until)) {
  }
  out.body = in_.substr(0, bytes);
  in_.erase(0, bytes);
  return out;
}

bool raw_client::is_closed_by_peer(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (fill(until)) in_.clear();
  return ended_;
}

http_answer raw_client::upgrade(std::string_view token, std::string_view subprotocol,
                                std::string_view more) {
  std::string out =
      "GET /v1/play HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!token.empty()) out += "Authorization: Bearer " + std::string{token} + "\r\n";
  if (!subprotocol.empty()) out += "Sec-WebSocket-Protocol: " + std::string{subprotocol} + "\r\n";
  out += more;
  send(out + "\r\n");
  return read_answer();
}

bool raw_client::send_frame(int opcode, std::string_view payload, bool final) const {
  std::string out(1, static_cast<char>((final ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size());
  } else {
    out += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  }
  out.append(4, '\0');  // a mask of zeros leaves the payload as it is
  return send(out.append(payload));
}

ws_frame raw_client::read_frame(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  for (;;) {
    if (in_.size() >= 2) {
      std::size_t size = static_cast<unsigned char>(in_[1]) & 127, head = 2;
      if (size == 126) head = 4;
      if (size == 127) head = 10;
      if (in_.size() >= head) {
        if (head > 2) {
          size = 0;
          for (std::size_t i = 2; i < head; ++i)
            size = size << 8 | static_cast<unsigned char>(in_[i]);
        }
        if (in_.size() >= head + size) {
          ws_frame out{in_[0] & 15, in_.substr(head, size)};
          in_.erase(0, head + size);
          return out;
        }
      }
    }
    if (!fill(until)) return {};
  }
}

std::string raw_client::read_message(std::chrono::milliseconds most) {
  for (;;) {
    const auto frame = read_frame(most);
    if (frame.opcode == 1) return frame.payload;
    if (frame.opcode == 2) return wire::to_json(frame.payload);
    if (frame.opcode == 8) return "close " + std::to_string(frame.close_code());
    if (frame.opcode < 0) return {};
  }
}

std::string post(std::string_view path, std::string_view body, std::string_view token) {
  std::string out =
      "POST " + std::string{path} +
      " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  if (!token.empty()) out += "Authorization: Bearer " + std::string{token} + "\r\n";
  return out + "\r\n" + std::string{body};
}

std::string get(std::string_view path, std::string_view token) {
  std::string out = "GET " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!token.empty()) out += "Authorization: Bearer " + std::string{token} + "\r\n";
  return out + "\r\n";
}

std::string text_in(std::string_view json, std::string_view name) {
  const auto key = "\"" + std::string{name} + "\":\"";
  const auto at = json.find(key);
  if (at == std::string_view::npos) return {};
  const auto begin = at + key.size();
  return std::string{json.substr(begin, json.find('"', begin) - begin)};
}

}  // namespace baraza::http::tests
