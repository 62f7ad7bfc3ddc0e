// The strict gate in front of the HTTP parser. Beast accepts several inputs that other servers read
// differently (request smuggling); nothing reaches it that this pure function has not passed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace baraza::http {

struct gate_verdict {
  bool ok = true;
  std::string_view reason;  // static storage; for the response and the counters
};

/// Judges the bytes of one request header, from the request line to the blank line (both included).
/// @param hosts allowed values of Host, without port, lower case; empty: any well-formed one
/// Passes only: HTTP/1.1 (or 1.0 without Transfer-Encoding); a method of the table below; a target
/// that begins with "/"; exactly one Host; at most one Content-Length of 1–7 digits; at most one
/// Transfer-Encoding, equal to "chunked" and without Content-Length; no body on GET, HEAD and
/// DELETE; field names of token characters, values of visible ASCII, spaces and tabs.
gate_verdict check_request(std::string_view header, std::span<const std::string> hosts);

/// Methods that exist here; the routes narrow them further.
inline constexpr std::string_view methods[] = {"GET", "HEAD", "POST", "DELETE"};

}  // namespace baraza::http
