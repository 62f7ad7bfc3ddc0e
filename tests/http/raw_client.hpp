// A socket in the hand of a test: sends any bytes, reads with a deadline, speaks just enough HTTP
// and WebSocket to look at answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baraza::http::tests {

using namespace std::chrono_literals;
inline constexpr std::chrono::milliseconds patience =
    20s;  // a busy machine is slow; nothing here waits for its own sake

/// Polls until `claim` holds. @returns false after `most`
template <class Claim>
bool eventually(Claim claim, std::chrono::milliseconds most = patience);
void brief_pause();

template <class Claim>
bool eventually(Claim claim, std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!claim()) {
    if (std::chrono::steady_clock::now() > until) return false;
    brief_pause();
  }
  return true;
}

struct http_answer {
  int status = 0;  // 0: none came
  std::string head, body;
  [[nodiscard]] std::string field(std::string_view name) const;
};

struct ws_frame {
  int opcode = -1;  // 1 text, 2 binary, 8 close, 9 ping, 10 pong; -1: none came
  std::string payload;
  [[nodiscard]] int close_code() const;
};

class raw_client {
 public:
  explicit raw_client(std::uint16_t port, int receive_buffer = 0)
      : raw_client{"127.0.0.1", port, receive_buffer} {}
  raw_client(const char* address, std::uint16_t port, int receive_buffer = 0);
  ~raw_client();
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;

  bool send(std::string_view bytes) const;
  /// Reads until `wanted` is in the buffer, the peer closes or patience ends.
  bool read_until(std::string_view wanted, std::chrono::milliseconds most = patience);
  /// One response with Content-Length (or none).
  http_answer read_answer();
  /// True if the peer closes, whatever else it still sends.
  bool is_closed_by_peer(std::chrono::milliseconds most = patience);
  http_answer ask(std::string_view bytes) {
    send(bytes);
    return read_answer();
  }

  // ---- WebSocket
  /// @param more further header lines, each ending in CRLF
  http_answer upgrade(std::string_view token, std::string_view subprotocol,
                      std::string_view more = {});
  bool send_frame(int opcode, std::string_view payload, bool final = true) const;
  ws_frame read_frame(std::chrono::milliseconds most = patience);
  /// The next frame that is no ping or pong, as JSON text whatever the encoding. "close CODE" for a
  /// close frame; "" for the end.
  std::string read_message(std::chrono::milliseconds most = patience);

 private:
  bool fill(std::chrono::steady_clock::time_point until);
  int fd_ = -1;
  std::string in_;
  bool ended_ = false;
};

/// "POST /path" with a JSON body.
std::string post(std::string_view path, std::string_view body, std::string_view token = {});
std::string get(std::string_view path, std::string_view token = {});
/// The string value of "name" in flat JSON.
std::string text_in(std::string_view json, std::string_view name);

}  // namespace baraza::http::tests
