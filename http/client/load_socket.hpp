// One WebSocket of the load generator on bare epoll: the generator shares two cores with the server
// it measures, and Beast would cost it more than the server spends on an action. Plain ws:// only.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/client/websocket_frames.hpp"

namespace baraza::client {

class load_socket {
 public:
  enum class state : std::uint8_t { closed, connecting, upgrading, open };

  load_socket() = default;
  load_socket(load_socket&& other) noexcept;
  load_socket& operator=(load_socket&&) = delete;
  ~load_socket() { close(); }

  /// Starts a connection and watches it on `epoll` under `tag`. False if no socket could be had.
  bool connect(int epoll, std::uint64_t tag, const sockaddr_storage& to, socklen_t size,
               const std::optional<sockaddr_in>& from, const std::string& upgrade, std::string key);
  void close();
  [[nodiscard]] state where() const { return state_; }
  /// HTTP status of a refused upgrade; 0 otherwise.
  [[nodiscard]] int refused_status() const { return status_; }

  /// One binary message. Dropped unless open; what the kernel does not take is kept (bounded by
  /// what callers have in flight).
  void send(std::string_view payload);
  /// Handles readiness: `on_open()` once, `on_frame(payload)` per message. False: the connection
  /// has ended.
  template <class OnOpen, class OnFrame>
  bool ready(std::uint32_t events, OnOpen&& on_open, OnFrame&& on_frame);

 private:
  bool flush();
  bool want_write(bool on);
  /// Reads once into `bytes` (leftovers of the last read first). False: ended. Empty bytes: nothing
  /// to read.
  bool read_some(std::string_view& bytes, bool& full);
  void keep(std::string_view rest);
  bool finish_upgrade(std::string_view& bytes);

  int fd_ = -1;
  int epoll_ = -1;
  std::uint64_t tag_ = 0;
  state state_ = state::closed;
  bool writing_ = false;
  int status_ = 0;
  std::uint32_t mask_ = 1;
  std::string key_, in_, out_;
  std::string message_;  // a fragmented message so far
};

template <class OnOpen, class OnFrame>
bool load_socket::ready(std::uint32_t events, OnOpen&& on_open, OnFrame&& on_frame) {
  constexpr std::uint32_t writable = 0x004,
                          hung_up = 0x008 | 0x010;  // EPOLLOUT; EPOLLERR, EPOLLHUP
  if ((events & hung_up) != 0 && state_ == state::connecting) return false;
  if ((events & writable) != 0 && !flush()) return false;
  for (bool full = true; full;) {
    std::string_view bytes;
    if (!read_some(bytes, full)) return false;
    if (state_ == state::upgrading && !bytes.empty()) {
      if (!finish_upgrade(bytes)) return false;
      if (state_ == state::open) on_open();
    }
    while (state_ == state::open) {
      websocket::frame frame;
      std::size_t used = 0;
      const auto parsed = websocket::read_frame(bytes, frame, used);
      if (parsed == websocket::parse::broken) return false;
      if (parsed == websocket::parse::incomplete) break;
      bytes.remove_prefix(used);
      if (frame.op == websocket::opcode::binary && frame.final) {
        on_frame(frame.payload);
      } else if (frame.op == websocket::opcode::ping) {
        websocket::append_frame(out_, websocket::opcode::pong, frame.payload, mask_++);
        if (!flush()) return false;
      } else if (frame.op == websocket::opcode::close) {
        return false;
      } else if (frame.op == websocket::opcode::binary ||
                 frame.op == websocket::opcode::continuation) {
        message_ += frame.payload;
        if (message_.size() > 0x40000) return false;
        if (frame.final) {
          on_frame(message_);
          message_.clear();
        }
      }
    }
    if (state_ == state::closed) return false;  // a callback closed it
    keep(bytes);
  }
  return true;
}

}  // namespace baraza::client
