#include "http/responses.hpp"

#include <sodium.h>

#include <algorithm>

#include "http/msgpack.hpp"
#include "http/wire.hpp"

namespace baraza::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Internal Server Error";
  }
}

// Answers are data for programs: nothing may sniff, frame, cache or script them (ASVS 5.0, 3.4).
constexpr std::string_view security_fields =
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Strict-Transport-Security: max-age=63072000\r\n"
    "X-Content-Type-Options: nosniff\r\n";

}  // namespace

std::string json_text(std::string_view text) {
  std::string packed;
  pack::put_text(packed, text);
  return wire::to_json(packed);
}

response error_response(int status, std::string_view code, std::string_view message,
                        std::string_view request_id, std::uint32_t retry_ms) {
  response out;
  out.status = status;
  out.body = "{\"error\":{\"code\":" + json_text(code) + ",\"message\":" + json_text(message) +
             ",\"request_id\":" + json_text(request_id);
  if (retry_ms > 0) {
    out.body += ",\"retry_ms\":" + std::to_string(retry_ms);
    const auto seconds = std::to_string((retry_ms + 999) / 1000);
    out.fields.emplace_back("Retry-After", seconds);
    if (status == 429) {
      out.fields.emplace_back("RateLimit-Remaining", "0");
      out.fields.emplace_back("RateLimit-Reset", seconds);
    }
  }
  out.body += "}}";
  return out;
}

std::string serialise(const response& what, std::string_view request_id, bool keep_alive,
                      bool head_only) {
  std::string out;
  out.reserve(512 + what.body.size());
  out += "HTTP/1.1 " + std::to_string(what.status) + " ";
  out += reason_of(what.status);
  out += "\r\n";
  if (what.status != 204) {
    out += "Content-Type: ";
    out += what.content_type;
    out += "\r\nContent-Length: " + std::to_string(what.body.size()) + "\r\n";
  }
  out += keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  out += security_fields;
  if (!request_id.empty()) {
    out += "X-Request-Id: ";
    out += request_id;
    out += "\r\n";
  }
  for (const auto& [name, value] : what.fields) {
    out += name;
    out += ": " + value + "\r\n";
  }
  out += "\r\n";
  if (!head_only && what.status != 204) out += what.body;
  return out;
}

std::string sane_request_id(std::string_view proposed) {
  const bool sane = !proposed.empty() && proposed.size() <= 64 &&
                    std::all_of(proposed.begin(), proposed.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
                    });
  if (sane) return std::string{proposed};
  char raw[12];
  randombytes_buf(raw, sizeof raw);
  return pack::to_hex({raw, sizeof raw});
}

}  // namespace baraza::http
