#include <catch2/catch_test_macros.hpp>

#include "http/client/draw_table.hpp"
#include "http/client/endpoint.hpp"
#include "http/client/latency.hpp"
#include "http/client/websocket_frames.hpp"

using namespace baraza;
using namespace baraza::client;
using namespace std::chrono_literals;

TEST_CASE("server addresses are read and bad ones refused", "[endpoint]") {
  const auto plain = parse_url("ws://127.0.0.1:7777/v1/play");
  REQUIRE(plain);
  CHECK(plain->authority() == "127.0.0.1:7777");
  CHECK(plain->path == "/v1/play");
  const auto tls = parse_url("wss://play.example");
  REQUIRE(tls);
  CHECK(tls->tls);
  CHECK(tls->port == 443);
  CHECK(tls->path == "/v1/play");
  CHECK(tls->authority() == "play.example");
  const auto six = parse_url("ws://[::1]:80/x");
  REQUIRE(six);
  CHECK(six->host == "::1");
  CHECK(six->authority() == "[::1]");
  for (const auto* bad :
       {"", "http://a", "ws://", "ws://:80", "ws://a:0", "ws://a:65536", "ws://a:x",
        "ws://a:", "ws://a b/", "ws://a/\r\nX: y", "ws://[::1", "ws://[::1]x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_url(bad));
  }
}

TEST_CASE("quantiles are within 2 % of the true ones", "[latency]") {
  latency_histogram h;
  CHECK(h.quantile_ms(0.5) == 0);
  for (int us = 1; us <= 100'000; ++us) h.add(std::chrono::microseconds{us});
  const auto near = [&](double share, double ms) {
    CAPTURE(share, h.quantile_ms(share));
    CHECK(h.quantile_ms(share) >= ms * 0.999);
    CHECK(h.quantile_ms(share) <= ms * 1.02);
  };
  near(0.5, 50);
  near(0.9, 90);
  near(0.99, 99);
  near(0.00005, 0.005);
  near(1, 100);
  CHECK(h.max_ms() == 100);
  h.add(100h);
  CHECK(h.max_ms() == 360'000'000);
  CHECK(h.quantile_ms(1) == 360'000'000);
}

TEST_CASE("frames are masked on the way out and read on the way in", "[websocket]") {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 65'535u, 65'536u, 200'000u}) {
    CAPTURE(size);
    const std::string payload(size, 'p');
    std::string bytes;
    websocket::append_frame(bytes, websocket::opcode::binary, payload, 0xA1B2C3D4);
    // Undo the mask by hand: this is what a server sends.
    const std::size_t head = size < 126 ? 2 : size <= 0xFFFF ? 4 : 10;
    REQUIRE((static_cast<unsigned char>(bytes[1]) & 0x80) != 0);
    const std::string mask = bytes.substr(head, 4);
    CHECK(mask == "\xA1\xB2\xC3\xD4");
    std::string plain = bytes.substr(0, head) + bytes.substr(head + 4);
    plain[1] = static_cast<char>(plain[1] & 0x7F);
    for (std::size_t i = 0; i < size; ++i)
      plain[head + i] = static_cast<char>(plain[head + i] ^ mask[i % 4]);
    websocket::frame frame;
    std::size_t used = 0;
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, head - 1, plain.size() - 1}) {
      if (cut < plain.size())
        CHECK(websocket::read_frame(plain.substr(0, cut), frame, used) ==
              websocket::parse::incomplete);
    }
    const std::string followed = plain + "rest";
    REQUIRE(websocket::read_frame(followed, frame, used) == websocket::parse::complete);
    CHECK(used == plain.size());
    CHECK(frame.payload == payload);
    CHECK(frame.op == websocket::opcode::binary);
    CHECK(frame.final);
    CHECK(websocket::read_frame(bytes, frame, used) ==
          websocket::parse::broken);  // servers do not mask
  }
  websocket::frame frame;
  std::size_t used = 0;
  CHECK(websocket::read_frame(std::string("\x82\x7F\x7F\0\0\0\0\0\0\0", 10), frame, used) ==
        websocket::parse::broken);
  CHECK(websocket::read_frame("\xC2\x01x", frame, used) ==
        websocket::parse::broken);  // an extension nobody asked for
}

TEST_CASE("an upgrade counts only with the right answer to its key", "[websocket]") {
  // Key and answer of RFC 6455, section 1.3.
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  const std::string good =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nsec-websocket-ACCEPT: "
      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  std::size_t used = 0;
  int status = 0;
  CHECK(websocket::read_upgrade(good + "xy", key, used, status) == websocket::upgrade::accepted);
  CHECK(used == good.size());
  CHECK(websocket::read_upgrade(good, "AAAAAAAAAAAAAAAAAAAAAA==", used, status) ==
        websocket::upgrade::refused);
  CHECK(websocket::read_upgrade(good.substr(0, 50), key, used, status) ==
        websocket::upgrade::incomplete);
  CHECK(websocket::read_upgrade("HTTP/1.1 401 Unauthorized\r\n\r\n", key, used, status) ==
        websocket::upgrade::refused);
  CHECK(status == 401);
  CHECK(websocket::read_upgrade(std::string(20'000, 'x'), key, used, status) ==
        websocket::upgrade::refused);
}

TEST_CASE("the draw table follows the cards and says when to draw", "[draw]") {
  draw_table table;
  CHECK_FALSE(table.may_draw());
  table.begin(3, 1);
  CHECK(table.may_draw());
  namespace draw = games::draw;
  const auto drawn = [](std::uint8_t seat, std::uint8_t card, std::uint32_t round,
                        std::uint32_t nonce) {
    return games::codec::encode_case("event", draw::event{draw::drawn{seat, card, round, nonce}});
  };
  CHECK(table.happened(drawn(1, 12, 1, 0)));
  CHECK_FALSE(table.may_draw());
  CHECK_FALSE(table.happened(drawn(1, 11, 1, 0)));  // a second card in one round does not fit
  CHECK(table.happened(drawn(0, 0, 1, 0)));
  CHECK(table.state().wins[1] == 1);
  CHECK(table.may_draw());
  draw_table late;
  CHECK(late.viewed(games::codec::encode(table.state()), 0));
  CHECK(late.state().wins[1] == 1);
  CHECK(late.may_draw());
  CHECK_FALSE(late.viewed("\x80", 0));
  CHECK(late.happened(drawn(0, 1, 2, 1)));
  CHECK(late.happened(drawn(1, 15, 2, 1)));
  CHECK(late.state().over);
  CHECK_FALSE(late.may_draw());
}
