// Raw sockets against a running edge: requests that other servers on the way could read
// differently. A second request is glued to each; it must never be answered.
#include <catch2/catch_test_macros.hpp>

#include "tests/http/edge_fixture.hpp"

using namespace baraza::http::tests;

namespace {

std::string request(std::string_view line, std::string_view fields, std::string_view body = {}) {
  return std::string{line} + "\r\nHost: localhost\r\n" + std::string{fields} + "\r\n" +
         std::string{body};
}

}  // namespace

TEST_CASE("a request that could be read in two ways gets 400 and a closed connection",
          "[edge][smuggling]") {
  const server s;
  const std::string glued = get("/v1/games");
  const std::string line = "POST /v1/auth/refresh HTTP/1.1";
  const std::string bad[] = {
      // what Beast alone would have let through
      request(line, "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"),
      request(line, "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
      request(line, "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
      request("POST /v1/auth/refresh HTTP/1.0", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
      request("GET /v1/games HTTP/1.1", "Host: other\r\n"),
      "GET /v1/games HTTP/1.1\r\nAccept: x\r\n\r\n",
      request("GET /v1/games HTTP/1.1", "X: a\r\n b\r\n"),
      request(line, "Content-Length: 5, 5\r\n", "hello"),
      request(line, "Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
      request("GET http://localhost/v1/games HTTP/1.1", ""),
      request("CONNECT localhost:80 HTTP/1.1", ""),
      request("GET /v1/games HTTP/1.1", "Content-Length: 5\r\n", "hello"),
      // what it refuses by itself
      request(line, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
      request(line, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
      request(line, "Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
      request(line, "Content-Length: +5\r\n", "hello"),
      request(line, "Content-Length: 0x5\r\n", "hello"),
      request(line, "Content-Length: -1\r\n", "hello"),
      request(line, "Content-Length: 18446744073709551617\r\n", "hello"),
      request(line, "Content-Length : 5\r\n", "hello"),
      "GET /v1/games HTTP/1.1\nHost: localhost\n\n",
      request("GET /v1/games HTTP/1.1", "X: a\rb\r\n"),
      request("GET /v1/games HTTP/1.1", std::string{"X: a\0b\r\n", 8}),
      request(line, "Transfer-Encoding: chunked\r\n", "zz\r\n"),
      request(line, "Transfer-Encoding: chunked\r\n", "-1\r\n"),
  };
  for (const auto& one : bad) {
    CAPTURE(one);
    auto client = s.connect();
    client.send(one + glued);
    const auto answer = client.read_answer();
    CHECK(answer.status == 400);
    CHECK(answer.field("Connection") == "close");
    CHECK(text_in(answer.body, "code") == "bad_request");
    CHECK(client.read_answer().status == 0);  // the glued request is not answered
    CHECK(client.is_closed_by_peer());
  }
  CHECK(s.metric("baraza_edge_refused_total{reason=\"gate\"}") >= 12);
}

TEST_CASE("chunked bodies are read whole and requests in a row are answered in order",
          "[edge][smuggling]") {
  const server s;
  auto client = s.connect();
  client.send(request("POST /v1/auth/guest HTTP/1.1", "Transfer-Encoding: chunked\r\n",
                      "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n") +
              get("/v1/games") + get("/nowhere"));
  CHECK(client.read_answer().status == 201);
  CHECK(client.read_answer().status == 200);
  CHECK(client.read_answer().status == 404);
}

TEST_CASE("a header or body beyond its limit is refused", "[edge][smuggling]") {
  const server s;
  CHECK(s.ask(request("GET /v1/games HTTP/1.1", "X: " + std::string(9000, 'a') + "\r\n")).status ==
        431);
  CHECK(s.ask("GET /" + std::string(9000, 'a')).status == 431);
  CHECK(s.ask(request("POST /v1/auth/guest HTTP/1.1", "Content-Length: 3000\r\n")).status == 413);
  CHECK(s.ask(request("POST /v1/auth/guest HTTP/1.1", "Content-Length: 9999999\r\n")).status ==
        413);
  CHECK(s.ask(request("POST /nowhere HTTP/1.1", "Content-Length: 1\r\n", "x")).status == 413);
  auto client = s.connect();
  client.send(request("POST /v1/auth/guest HTTP/1.1", "Transfer-Encoding: chunked\r\n"));
  for (int i = 0; i < 5; ++i) client.send("400\r\n" + std::string(0x400, ' ') + "\r\n");
  CHECK(client.read_answer().status == 413);
}
