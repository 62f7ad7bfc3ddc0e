#include "http/client/websocket_frames.hpp"

#include <sodium.h>

#include <array>
#include <charconv>
#include <cstring>

#include <openssl/sha.h>

#include "http/client/limits.hpp"

namespace baraza::client::websocket {
namespace {

std::string base64(const std::uint8_t* data, std::size_t size) {
  std::string text(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), data, size, sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the terminating zero
  return text;
}

/// What the server must answer to `key` (RFC 6455 section 4.2.2).
std::string accept_of(std::string_view key) {
  std::string text{key};
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base64(digest.data(), digest.size());
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    at += 2;
    const std::size_t end = std::min(head.find("\r\n", at), head.size());
    const std::string_view line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) {
      std::string_view value = line.substr(colon + 1);
      while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
      while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
      return value;
    }
    at = head.find("\r\n", at);
  }
  return {};
}

}  // namespace

std::string random_key() {
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return base64(bytes.data(), bytes.size());
}

std::string upgrade_request(std::string_view host, std::string_view path, std::string_view token,
                            std::string_view key) {
  std::string request = "GET ";
  request.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  request += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";
  request.append("\r\nSec-WebSocket-Key: ").append(key);
  request += "\r\nSec-WebSocket-Protocol: baraza.v1.msgpack";
  if (!token.empty()) request.append("\r\nAuthorization: Bearer ").append(token);
  return request += "\r\n\r\n";
}

upgrade read_upgrade(std::string_view bytes, std::string_view key, std::size_t& used, int& status) {
  status = 0;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() > handshake_bytes_max ? upgrade::refused : upgrade::incomplete;
  }
  used = end + 4;
  const std::string_view head = bytes.substr(0, end);
  if (head.size() < 12 || !head.starts_with("HTTP/1.1 ")) return upgrade::refused;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  if (status != 101) return upgrade::refused;
  return header(head, "sec-websocket-accept") == accept_of(key) ? upgrade::accepted
                                                                : upgrade::refused;
}

void append_frame(std::string& out, opcode op, std::string_view payload, std::uint32_t mask) {
  const auto put = [&](std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      out.push_back(static_cast<char>(value >> shift & 0xFF));
  };
  put(0x80u | static_cast<std::uint8_t>(op), 1);
  if (payload.size() < 126) {
    put(0x80u | payload.size(), 1);
  } else if (payload.size() <= 0xFFFF) {
    put(0x80u | 126u, 1);
    put(payload.size(), 2);
  } else {
    put(0x80u | 127u, 1);
    put(payload.size(), 8);
  }
  put(mask, 4);
  const std::array<std::uint8_t, 4> key{
      static_cast<std::uint8_t>(mask >> 24), static_cast<std::uint8_t>(mask >> 16),
      static_cast<std::uint8_t>(mask >> 8), static_cast<std::uint8_t>(mask)};
  const std::size_t start = out.size();
  out += payload;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out[start + i] = static_cast<char>(static_cast<std::uint8_t>(out[start + i]) ^ key[i & 3]);
}

parse read_frame(std::string_view bytes, frame& out, std::size_t& used) {
  if (bytes.size() < 2) return parse::incomplete;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  if ((byte(0) & 0x70) != 0 || (byte(1) & 0x80) != 0) return parse::broken;  // extensions, masks
  std::size_t head = 2;
  std::uint64_t size = byte(1);
  if (size >= 126) {
    const std::size_t width = size == 126 ? 2 : 8;
    head += width;
    if (bytes.size() < head) return parse::incomplete;
    size = 0;
    for (std::size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
  }
  if (size > frame_bytes_max) return parse::broken;
  if (bytes.size() < head + size) return parse::incomplete;
  out.op = static_cast<opcode>(byte(0) & 0x0F);
  out.final = (byte(0) & 0x80) != 0;
  out.payload = bytes.substr(head, size);
  used = head + size;
  return parse::complete;
}

}  // namespace baraza::client::websocket
