// Where a server is: ws://host:port/path, and the HTTP routes beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baraza::client {

inline constexpr std::string_view default_url = "ws://127.0.0.1:7777/v1/play";

struct endpoint {
  bool tls = false;
  std::string host;  // name or address, without brackets
  std::uint16_t port = 0;
  std::string path;  // of the WebSocket

  /// For a Host header: brackets round IPv6, the port unless it is the scheme's own.
  [[nodiscard]] std::string authority() const;
};

/// Accepts ws:// and wss://; the port is the scheme's own and the path /v1/play if left out.
std::optional<endpoint> parse_url(std::string_view url);

}  // namespace baraza::client
