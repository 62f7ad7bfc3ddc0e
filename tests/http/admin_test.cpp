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

namespace {

using cluster::operator_verdict;
using cluster::operator_wish;

/// A cluster of two whose answer to every order is given.
edge_callbacks cluster_of_two(std::vector<operator_wish>& heard, operator_verdict said) {
  edge_callbacks out;
  out.report = [](const cluster::report_answer& answered) {
    auto state = std::make_shared<storage::cluster_state>();
    state->version = 9;
    state->now = 5'000;
    state->coordinator = 2;
    for (const std::uint64_t i : {1, 2})
      state->members.push_back({.incarnation = i,
                                .name = "node-" + std::to_string(i),
                                .roles = "game",
                                .status = storage::member_status::up,
                                .renewed_at = 4'000,
                                .lease_until = 9'000,
                                .version = "0.1.0"});
    for (shard_id s = 0; s < 6; ++s) state->shards.push_back({s, s < 3 || s == 5 ? 1u : 2u, 1});
    state->shards[4] = {4, 0, 1, 1};
    cluster::cluster_report what;
    what.state = state;
    what.self = 1;
    what.now = 5'500;
    what.loads[1] = {.sessions = 7, .tables = 3};
    what.events.push_back({5'400, "link.down", "to \"node-2\""});
    answered(what);
  };
  out.operate = [&heard, said](operator_wish what, const cluster::operator_answer& answered) {
    heard.push_back(std::move(what));
    answered(said);
  };
  return out;
}

http_answer order(const server& s, std::string_view path, std::string_view field = {}) {
  return s.connect_admin().ask("POST " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n" +
                               std::string{field} + "Content-Length: 0\r\n\r\n");
}

}  // namespace

TEST_CASE("a node tells what the cluster is and who owns what", "[edge][admin]") {
  std::vector<operator_wish> heard;
  const server s{server::quick(), cluster_of_two(heard, {})};
  const auto said = s.connect_admin().ask(get("/admin/v1/cluster"));
  CHECK(said.status == 200);
  CAPTURE(said.body);
  const auto has = [&](std::string_view part) { return said.body.find(part) != std::string::npos; };
  CHECK(has(R"("view":9,"level":1,"shards":6,"free":1,"coordinator":"node-2","self":"node-1")"));
  CHECK(has(R"("lease_age_ms":1500,"lease_left_ms":3500,"shards":4,"load":{"sessions":7,)"));
  CHECK(has(R"("shards":1,"load":null)"));  // node-2 did not answer: that is not nobody
  CHECK(has(R"({"at":5400,"event":"link.down","detail":"to \"node-2\""})"));
  CHECK(s.connect_admin().ask(get("/admin/v1/shards")).body ==
        R"({"view":9,"shards":6,"owners":[{"name":"node-1","count":4,"shards":"0-2,5"},)"
        R"({"name":"node-2","count":1,"shards":"3"}],"free":[{"shard":4,"next":"node-1"}]})");
}

TEST_CASE("an order is passed on with who gave it, and its verdict is a status", "[edge][admin]") {
  using kind = operator_verdict::kind;
  using action = operator_wish::action;
  std::vector<operator_wish> heard;
  {
    const server s{server::quick(), cluster_of_two(heard, {})};
    CHECK(order(s, "/admin/v1/nodes/node-2/drain", "X-Operator: amina\r\n").status == 202);
    CHECK(order(s, "/admin/v1/nodes/node-2/undrain?by=otieno").status == 200);
    CHECK(order(s, "/admin/v1/nodes/node-2/remove").status == 200);
    CHECK(order(s, "/admin/v1/shards/17/move?to=node-2").status == 202);
    REQUIRE(heard.size() == 4);
    CHECK(heard[0].what == action::drain);
    CHECK(heard[0].node == "node-2");
    CHECK(heard[0].by == "amina from 127.0.0.1");
    CHECK(heard[1].what == action::undrain);
    CHECK(heard[1].by == "otieno from 127.0.0.1");
    CHECK(heard[2].what == action::remove);
    CHECK(heard[2].by == "somebody from 127.0.0.1");
    CHECK(heard[3].what == action::move);
    CHECK(heard[3].shard == 17);
    CHECK(heard[3].node == "node-2");
    CHECK(order(s, "/admin/v1/nodes/node-2/drain", "X-Operator: a b\r\n").status == 422);
    CHECK(order(s, "/admin/v1/nodes/node-2/drain?by=%41").status == 422);
    CHECK(order(s, "/admin/v1/shards/1x/move?to=node-2").status == 404);
    CHECK(order(s, "/admin/v1/shards/99999999999/move?to=node-2").status == 404);
    CHECK(order(s, "/admin/v1/shards/1/move").status == 422);
    CHECK(heard.size() == 4);
  }
  const std::pair<operator_verdict, int> verdicts[] = {
      {{kind::done, "", "", false}, 200},  // so already
      {{kind::unknown, "unknown_node", "None.", false}, 404},
      {{kind::refused, "alive", "It lives.", false}, 409},
      {{kind::unavailable, "unavailable", "Later.", false}, 503},
      {{kind::unavailable, "unknown", "Look.", false}, 504}};
  for (const auto& [said, status] : verdicts) {
    const server s{server::quick(), cluster_of_two(heard, said)};
    const auto answer = order(s, "/admin/v1/nodes/node-2/drain");
    CHECK(answer.status == status);
    CHECK(text_in(answer.body, "code") == said.code);
  }
}

TEST_CASE("without a cluster behind it the port has no such routes", "[edge][admin]") {
  const server s{server::quick()};
  CHECK(s.connect_admin().ask(get("/admin/v1/cluster")).status == 404);
}
