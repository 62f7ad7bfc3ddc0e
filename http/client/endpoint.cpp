#include "http/client/endpoint.hpp"

#include <charconv>

namespace baraza::client {

std::string endpoint::authority() const {
  std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::optional<endpoint> parse_url(std::string_view url) {
  endpoint out;
  if (url.starts_with("ws://")) {
    url.remove_prefix(5);
  } else if (url.starts_with("wss://")) {
    out.tls = true;
    url.remove_prefix(6);
  } else {
    return std::nullopt;
  }
  const std::size_t slash = url.find('/');
  std::string_view where = url.substr(0, slash);
  out.path =
      slash == std::string_view::npos || slash + 1 == url.size() ? "/v1/play" : url.substr(slash);
  // These bytes go into a request line: nothing that could end it.
  for (const char c : out.path) {
    if (c <= ' ' || c == 0x7F) return std::nullopt;
  }
  std::string_view port;
  if (where.starts_with('[')) {
    const std::size_t end = where.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    out.host = where.substr(1, end - 1);
    port = where.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const std::size_t colon = where.find(':');
    out.host = where.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = where.substr(colon + 1);
      if (port.empty()) return std::nullopt;
    }
  }
  if (out.host.empty() || out.host.size() > 253) return std::nullopt;
  for (const char c : out.host) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == ':' || c == '_';
    if (!fits) return std::nullopt;
  }
  out.port = out.tls ? 443 : 80;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size() || out.port == 0)
      return std::nullopt;
  }
  return out;
}

}  // namespace baraza::client
