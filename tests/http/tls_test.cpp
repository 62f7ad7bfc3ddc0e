// The TLS side of the players' port, with a certificate of the test's own.
#include <catch2/catch_test_macros.hpp>

#include <openssl/sslerr.h>

#include <fstream>

#include "tests/http/edge_fixture.hpp"
#include "tests/http/tls_client.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

/// An edge that speaks TLS, with the files of its certificate.
struct guarded {
  explicit guarded(edge_options o = server::quick()) {
    write_certificate(certificate, key, 1);
    o.certificate_file = certificate;
    o.key_file = key;
    at = std::make_unique<server>(std::move(o));
  }
  [[nodiscard]] std::uint16_t port() const { return at->at->port(); }

  baraza::tests::temporary_folder folder;
  const std::filesystem::path certificate = folder.path() / "chain.pem",
                              key = folder.path() / "key.pem";
  std::unique_ptr<server> at;
};

std::string masked(std::string_view text) {  // a frame of text, masked with zeros
  std::string out(6, '\0');
  out[0] = '\x81';
  out[1] = static_cast<char>(0x80 | text.size());
  return out.append(text);
}

}  // namespace

TEST_CASE("a player plays over wss: TLS 1.3, HTTP/1.1, no resumption", "[edge][tls]") {
  const guarded g;
  tls_client client{g.port()};
  REQUIRE(client.is_open());
  CHECK(client.version() == "TLSv1.3");
  CHECK(client.protocol() == "http/1.1");
  REQUIRE(client.send(post("/v1/auth/guest", "{}")));
  const auto answer = client.read_until("refresh_token\":\"");
  REQUIRE(answer.starts_with("HTTP/1.1 201"));
  CHECK_FALSE(client.offers_resumption());

  tls_client player{g.port()};
  REQUIRE(
      player.send("GET /v1/play HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  "Sec-WebSocket-Protocol: baraza.v1.json\r\n"
                  "Authorization: Bearer " +
                  text_in(answer, "access_token") + "\r\n\r\n"));
  REQUIRE(player.read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  REQUIRE(player.send(masked(R"({"t":"ping","id":1})")));
  const std::string pong = R"({"t":"ok","re":1})";
  CHECK(player.read_until(pong).ends_with(pong));
}

TEST_CASE("TLS 1.2 is refused with the alert that says so", "[edge][tls]") {
  const guarded g;
  tls_client old{g.port(), TLS1_2_VERSION};
  CHECK_FALSE(old.is_open());
  CHECK(old.failure() == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);  // alert 70
  CHECK(eventually([&] { return g.at->metric("baraza_edge_refused_total{reason=\"tls\"}") == 1; }));
  CHECK(tls_client{g.port()}.is_open());
}

TEST_CASE("plain HTTP on the TLS port is told so and ends", "[edge][tls]") {
  const guarded g;
  raw_client plain{g.port()};
  const auto answer = plain.ask(get("/v1/games"));
  CHECK(answer.status == 400);
  CHECK(text_in(answer.body, "message") == "This port speaks TLS: use https or wss.");
  CHECK(plain.is_closed_by_peer());
  raw_client noise{g.port()};
  noise.send(std::string(2000, 'x'));
  CHECK(noise.is_closed_by_peer());
  CHECK(eventually([&] { return g.at->metric("baraza_edge_sockets") == 0; }));
  CHECK(g.at->metric("baraza_edge_http_requests_total") == 0);
}

TEST_CASE("a TLS handshake that does not go on is cut", "[edge][tls][limits]") {
  auto o = server::quick();
  o.tls_time = 300ms;
  const guarded g{o};
  raw_client silent{g.port()}, half{g.port()};
  half.send(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01", 8});  // a ClientHello's beginning
  CHECK(silent.is_closed_by_peer());
  CHECK(half.is_closed_by_peer());
  CHECK(eventually([&] { return g.at->metric("baraza_edge_sockets") == 0; }));
  CHECK(tls_client{g.port()}.is_open());
}

TEST_CASE("a new certificate is shown without a restart, a broken one never", "[edge][tls]") {
  const guarded g;
  tls_client before{g.port()};
  CHECK(before.serial() == 1);
  std::ofstream{g.certificate} << "no certificate";
  const auto why = g.at->at->reload_certificate();
  REQUIRE(why);
  CHECK(why->find(g.certificate.string()) != std::string::npos);
  CHECK(tls_client{g.port()}.serial() == 1);

  const auto other = g.folder.path() / "other.pem";
  write_certificate(g.certificate, other, 2);  // fits another key than the one beside it
  CHECK(g.at->at->reload_certificate());
  CHECK(tls_client{g.port()}.serial() == 1);

  write_certificate(g.certificate, g.key, 2);
  CHECK_FALSE(g.at->at->reload_certificate());
  CHECK(tls_client{g.port()}.serial() == 2);
  // The connection from before goes on.
  REQUIRE(before.send(get("/v1/games")));
  CHECK(before.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  const auto end =
      static_cast<std::int64_t>(g.at->metric("baraza_edge_certificate_expires_seconds"));
  CHECK(std::abs(end - std::time(nullptr) - 86'400) < 600);
}

TEST_CASE("without a usable certificate the edge does not start", "[edge][tls]") {
  auto o = server::quick();
  baraza::tests::temporary_folder folder;
  const auto certificate = folder.path() / "chain.pem", key = folder.path() / "key.pem";
  server plain;  // whose parts are borrowed
  const auto start = [&](std::string with, std::string and_key) {
    o.certificate_file = std::move(with);
    o.key_file = std::move(and_key);
    edge one{o, plain.actors, *plain.identities, *plain.reads, {}};
    return one.start();
  };
  CHECK(start(certificate, key));
  write_certificate(certificate, key, 1);
  CHECK(start(certificate, ""));
  CHECK(start(key, certificate));
  CHECK_FALSE(start(certificate, key));
}
