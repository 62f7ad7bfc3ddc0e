#include <catch2/catch_test_macros.hpp>

#include "http/request_gate.hpp"

using baraza::http::check_request;

namespace {

bool passes(std::string_view header, std::vector<std::string> hosts = {}) {
  return check_request(header, hosts).ok;
}
std::string with(std::string_view fields, std::string_view line = "POST /v1/auth/guest HTTP/1.1") {
  return std::string{line} + "\r\nHost: a.example\r\n" + std::string{fields} + "\r\n";
}

}  // namespace

TEST_CASE("ordinary requests pass the gate", "[gate]") {
  CHECK(passes(with("")));
  CHECK(passes(with("Content-Length: 5\r\n")));
  CHECK(passes(with("Transfer-Encoding: Chunked\r\n")));
  CHECK(passes(with("Content-Length: 0\r\n", "GET /x?y=1 HTTP/1.1")));
  CHECK(passes(with("Accept: */*\r\nX-Empty:\r\n", "GET / HTTP/1.0")));
  CHECK(passes(with(""), {"a.example"}));
  CHECK(passes("GET / HTTP/1.1\r\nHost: A.Example:8080\r\n\r\n", {"a.example"}));
  CHECK(passes("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", {"[::1]"}));
}

TEST_CASE("whatever two servers could read differently is refused", "[gate]") {
  const std::string bad[] = {
      with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"),
      with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
      with("Transfer-Encoding: xchunked\r\n"),
      with("Transfer-Encoding: chunked, identity\r\n"),
      with("Transfer-Encoding: identity\r\n"),
      with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      with("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0"),
      with("Transfer-Encoding:\r\n"),
      with("Content-Length: 5, 5\r\n"),
      with("Content-Length: 5\r\nContent-Length: 5\r\n"),
      with("Content-Length: +5\r\n"),
      with("Content-Length: 0x5\r\n"),
      with("Content-Length: -1\r\n"),
      with("Content-Length: 99999999999999999999\r\n"),
      with("Content-Length:\r\n"),
      with("Host: a.example\r\n"),
      with("Host: b.example\r\n"),
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: \r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
      with("X: a\r\n folded\r\n"),
      with("X: a\r\n\tfolded\r\n"),
      with("X : a\r\n"),
      with(": a\r\n"),
      with("no colon\r\n"),
      with("X: a\rb\r\n"),
      with("X: a\nb: c\r\n"),
      with("X: a\x01\r\n"),
      with("X: \xC3\xA9\r\n"),
      with(std::string{"X: a\0b\r\n", 8}),
      with("Expect: 100-continue\r\n"),
      with("", "GET http://a.example/ HTTP/1.1"),
      with("", "GET //a.example/ HTTP/1.1"),
      with("", "CONNECT a.example:443 HTTP/1.1"),
      with("", "OPTIONS * HTTP/1.1"),
      with("", "TRACE / HTTP/1.1"),
      with("", "get / HTTP/1.1"),
      with("", "GET / HTTP/2.0"),
      with("", "GET / HTTP/1.1 "),
      with("", "GET  HTTP/1.1"),
      with("", "GET /a b HTTP/1.1"),
      with("", "GET /\x7F HTTP/1.1"),
      with("", "GET /#x HTTP/1.1"),
      with("", "GET /"),
      with("Content-Length: 5\r\n", "GET / HTTP/1.1"),
      with("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.1"),
      with("Content-Length: 5\r\n", "DELETE / HTTP/1.1"),
      "\r\n" + with(""),
      "GET / HTTP/1.1\nHost: a\n\n",
      "",
  };
  for (const auto& header : bad) {
    CAPTURE(header);
    const auto verdict = check_request(header, {});
    CHECK_FALSE(verdict.ok);
    CHECK_FALSE(verdict.reason.empty());
  }
}

TEST_CASE("a host outside the list and a header of too many fields are refused", "[gate]") {
  CHECK_FALSE(passes(with(""), {"b.example"}));
  CHECK_FALSE(passes("GET / HTTP/1.1\r\nHost: a.example.evil\r\n\r\n", {"a.example"}));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X: y\r\n";
  CHECK_FALSE(passes(with(many)));
}
