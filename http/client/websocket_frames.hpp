// The client's half of RFC 6455 as plain functions on bytes: upgrade request, masked frames out,
// frames in. `load` drives thousands of sockets with it; no allocation per frame once the buffers
// have grown.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace baraza::client::websocket {

enum class opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

/// The upgrade request for /v1/play with a bearer token. `key`: 16 random bytes in base64.
std::string upgrade_request(std::string_view host, std::string_view path, std::string_view token,
                            std::string_view key);
/// 16 bytes of the operating system's generator in base64.
std::string random_key();

enum class upgrade : std::uint8_t { incomplete, accepted, refused };
/// Reads the answer to an upgrade. `used`: bytes of the answer; `status`: its HTTP status (0 if it
/// is no HTTP).
upgrade read_upgrade(std::string_view bytes, std::string_view key, std::size_t& used, int& status);

/// Appends one final, masked frame. Masks need to be unpredictable for proxies only: `mask` may be
/// any generator's.
void append_frame(std::string& out, opcode op, std::string_view payload, std::uint32_t mask);

struct frame {
  opcode op{};
  bool final = true;
  std::string_view payload;  // into the bytes given
};
enum class parse : std::uint8_t { incomplete, complete, broken };
/// Reads one server frame (never masked) from the front of `bytes`; `used` bytes of it when
/// complete.
parse read_frame(std::string_view bytes, frame& out, std::size_t& used);

}  // namespace baraza::client::websocket
