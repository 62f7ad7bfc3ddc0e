// The operators' port over raw HTTP: who may ask what, and the file that holds the token.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "http/admin.hpp"
#include "tests/http/edge_fixture.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr std::string_view token = "operators-token-0123456789";

server guarded() {
  auto o = server::quick();
  o.admin_token = token;
  return server{o};
}

int status(const server& s, std::string_view path, std::string_view authorization) {
  std::string request = "GET " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!authorization.empty()) request += "Authorization: " + std::string{authorization} + "\r\n";
  return s.connect_admin().ask(request + "\r\n").status;
}

std::string write(const baraza::tests::temporary_folder& folder, std::string_view text,
                  mode_t mode = 0600) {
  const auto path = (folder.path() / "token").string();
  std::ofstream{path, std::ios::binary} << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

}  // namespace

TEST_CASE("with a token configured, metrics and administration ask for it", "[edge][admin]") {
  const auto s = guarded();
  const auto right = "Bearer " + std::string{token};
  CHECK(status(s, "/metrics", right) == 200);
  CHECK(status(s, "/metrics", "bearer " + std::string{token}) == 200);
  for (const auto& wrong : {std::string{}, std::string{"Bearer"}, std::string{"Bearer x"},
                            std::string{token}, "Basic " + std::string{token}, right + "x",
                            right.substr(0, right.size() - 1), "Bearer " + s.guest()}) {
    CAPTURE(wrong);
    CHECK(status(s, "/metrics", wrong) == 401);
    CHECK(status(s, "/admin/v1/anything", wrong) == 401);
  }
  CHECK(status(s, "/admin/v1/anything", right) == 404);
}

TEST_CASE("an operator ends a player's logins and sockets within a second", "[edge][admin]") {
  const auto s = guarded();
  const auto made = s.ask(post("/v1/auth/guest", "{}"));
  const auto access = text_in(made.body, "access_token"), player = text_in(made.body, "player");
  auto socket = s.connect();
  REQUIRE(socket.upgrade(access, "baraza.v1.json").status == 101);
  auto bystander = s.play();
  REQUIRE(eventually([&] { return s.actors.sessions() == 2; }));
  const auto revoke = [&](const std::string& id, std::string_view with) {
    return s.connect_admin().ask(post("/admin/v1/players/" + id + "/logout", "", with));
  };
  CHECK(revoke(player, "").status == 401);
  CHECK(s.ask(post("/admin/v1/players/" + player + "/logout", "", access)).status == 404);
  CHECK(revoke("nobody", token).status == 404);
  CHECK(s.ask(get("/v1/profile", access)).status == 200);

  const auto begin = std::chrono::steady_clock::now();
  const auto answer = revoke(player, token);
  CHECK(answer.status == 200);
  CHECK(answer.body == "{\"ended\":1}");
  CHECK(socket.read_message() == "close 1008");
  CHECK(std::chrono::steady_clock::now() - begin < baraza::tests::slowness * 1s);
  CHECK(s.ask(get("/v1/profile", access)).status == 401);
  const auto refresh = R"({"refresh_token":")" + text_in(made.body, "refresh_token") + "\"}";
  CHECK(s.ask(post("/v1/auth/refresh", refresh)).status == 401);
  CHECK(revoke(player, token).body == "{\"ended\":0}");
  bystander.send_frame(1, R"({"t":"ping","id":1})");
  CHECK(bystander.read_message() == R"({"t":"ok","re":1})");
}

TEST_CASE("a refused operator is told how to ask, and nothing else", "[edge][admin]") {
  const auto s = guarded();
  const auto answer = s.connect_admin().ask(get("/metrics"));
  CHECK(answer.status == 401);
  CHECK(answer.field("WWW-Authenticate") == "Bearer");
  CHECK(text_in(answer.body, "code") == "unauthorized");
  CHECK(answer.body.find("baraza_edge") == std::string::npos);
  CHECK(s.connect_admin().ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 401);
}

TEST_CASE("probes are answered without the token", "[edge][admin]") {
  const auto s = guarded();
  CHECK(status(s, "/livez", "") == 200);
  CHECK(status(s, "/readyz", "") == 200);
  CHECK(status(s, "/livez/x", "") == 401);
}

TEST_CASE("operators get in when the players' places are taken", "[edge][admin][limits]") {
  auto o = server::quick();
  o.sockets_max = 2;
  const server s{o};
  auto a = s.connect(), b = s.connect();
  CHECK(a.ask(get("/v1/games")).status == 200);
  CHECK(b.ask(get("/v1/games")).status == 200);
  CHECK(s.connect().is_closed_by_peer());
  CHECK(status(s, "/livez", "") == 200);
}

TEST_CASE("the token file is trimmed, long enough, one word, and no open book", "[edge][admin]") {
  const baraza::tests::temporary_folder folder;
  std::string read;
  CHECK(read_admin_token("", read).empty());
  CHECK(read.empty());
  CHECK(read_admin_token(write(folder, " \n" + std::string{token} + "\r\n"), read).empty());
  CHECK(read == token);
  CHECK(read_admin_token(write(folder, token, 0640), read).empty());  // a group may be meant

  const auto refused = [&](const std::string& path, std::string_view why) {
    const auto line = read_admin_token(path, read);
    CAPTURE(line);
    CHECK(line.starts_with("the admin token file " + path + " "));
    CHECK(line.find(why) != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(line.find(token) == std::string::npos);
    CHECK(read.empty());
  };
  refused(write(folder, token, 0604), "everybody");
  refused(write(folder, ""), "16 to 4096");
  refused(write(folder, "fifteen-letters\n"), "16 to 4096");
  refused(write(folder, std::string(4097, 'x')), "16 to 4096");
  refused(write(folder, std::string(9000, 'x')), "16 to 4096");
  refused(write(folder, "two words of many letters"), "one token");
  refused(write(folder, "0123456789abcdef\x80"), "one token");
  refused((folder.path() / "none").string(), "No such file");
  refused(folder.path().string(), "regular file");
}
