#include "http/request_gate.hpp"

#include <algorithm>

namespace baraza::http {
namespace {

constexpr std::size_t content_length_digits_max = 7;
constexpr std::size_t fields_max = 64;

bool is_token(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}
bool is_visible(char c) { return c >= 0x21 && c <= 0x7E; }
bool is_value(char c) { return c == ' ' || c == '\t' || is_visible(c); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool equals(std::string_view a, std::string_view lower_case) {
  return a.size() == lower_case.size() && std::equal(a.begin(), a.end(), lower_case.begin(),
                                                     [](char x, char y) { return lower(x) == y; });
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

/// Takes one CRLF-terminated line off the front; false if a line ends otherwise or holds a stray CR
/// or LF.
bool take_line(std::string_view& rest, std::string_view& line) {
  const auto end = rest.find_first_of("\r\n");
  if (end == std::string_view::npos || rest[end] != '\r') return false;
  if (end + 1 >= rest.size() || rest[end + 1] != '\n') return false;
  line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return true;
}

struct request_line {
  std::string_view method, target, version;
};

gate_verdict refuse(std::string_view reason) { return {false, reason}; }

gate_verdict check_request_line(std::string_view line, request_line& out) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return refuse("malformed request line");
  out = {line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
  if (std::find(std::begin(methods), std::end(methods), out.method) == std::end(methods))
    return refuse("method not allowed");
  if (out.target.empty() || out.target.front() != '/' || out.target.starts_with("//"))
    return refuse("target must begin with one slash");
  if (!std::all_of(out.target.begin(), out.target.end(),
                   [](char c) { return is_visible(c) && c != '#'; })) {
    return refuse("bad character in target");
  }
  if (out.version != "HTTP/1.1" && out.version != "HTTP/1.0") return refuse("unsupported version");
  return {};
}

bool is_well_formed_host(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' ||
           c == ':' || c == '[' || c == ']' || c == '_';
  });
}

bool is_allowed_host(std::string_view host, std::span<const std::string> allowed) {
  if (allowed.empty()) return true;
  if (const auto colon = host.rfind(':'); colon != std::string_view::npos && host.back() != ']')
    host = host.substr(0, colon);
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& one) { return equals(host, one); });
}

/// What the fields say about the body and the host.
struct framing {
  int hosts = 0, lengths = 0, encodings = 0;
  bool has_body = false;
};

gate_verdict check_field(std::string_view line, std::span<const std::string> hosts, framing& seen) {
  if (line.front() == ' ' || line.front() == '\t') return refuse("folded header line");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("malformed header field");
  const auto name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), is_token))
    return refuse("bad character in field name");
  const auto value = trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_value))
    return refuse("bad character in field value");
  if (equals(name, "host")) {
    if (++seen.hosts > 1) return refuse("more than one Host");
    if (!is_well_formed_host(value)) return refuse("malformed Host");
    if (!is_allowed_host(value, hosts)) return refuse("unknown Host");
  } else if (equals(name, "content-length")) {
    if (++seen.lengths > 1) return refuse("more than one Content-Length");
    if (value.empty() || value.size() > content_length_digits_max)
      return refuse("bad Content-Length");
    if (!std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return refuse("bad Content-Length");
    seen.has_body |= value.find_first_not_of('0') != std::string_view::npos;
  } else if (equals(name, "transfer-encoding")) {
    if (++seen.encodings > 1) return refuse("more than one Transfer-Encoding");
    if (!equals(value, "chunked")) return refuse("unsupported Transfer-Encoding");
    seen.has_body = true;
  } else if (equals(name, "expect") || equals(name, "trailer")) {
    return refuse("Expect and Trailer are not supported");
  }
  return {};
}

}  // namespace

gate_verdict check_request(std::string_view header, std::span<const std::string> hosts) {
  if (header.find('\0') != std::string_view::npos) return refuse("NUL in header");
  std::string_view line;
  if (!take_line(header, line)) return refuse("malformed line ending");
  request_line request;
  if (const auto verdict = check_request_line(line, request); !verdict.ok) return verdict;
  framing seen;
  for (std::size_t fields = 0;; ++fields) {
    if (!take_line(header, line)) return refuse("malformed line ending");
    if (line.empty()) break;
    if (fields == fields_max) return refuse("too many header fields");
    if (const auto verdict = check_field(line, hosts, seen); !verdict.ok) return verdict;
  }
  if (!header.empty()) return refuse("bytes after the header");
  if (seen.hosts != 1) return refuse("missing Host");
  if (seen.encodings > 0 && seen.lengths > 0)
    return refuse("Content-Length with Transfer-Encoding");
  if (seen.encodings > 0 && request.version == "HTTP/1.0")
    return refuse("Transfer-Encoding with HTTP/1.0");
  if (seen.has_body && request.method != "POST") return refuse("a body is allowed on POST only");
  return {};
}

}  // namespace baraza::http
