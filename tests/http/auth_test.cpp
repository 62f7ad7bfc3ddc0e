#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "tests/http/edge_fixture.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr std::string_view json = "baraza.v1.json";

std::string credentials(std::string_view name, std::string_view password,
                        bool with_display = false) {
  return R"({"name":")" + std::string{name} + R"(","password":")" + std::string{password} + "\"" +
         (with_display ? R"(,"display":"Asha"})" : "}");
}
http_answer refresh(const server& s, const std::string& token) {
  return s.ask(post("/v1/auth/refresh", R"({"refresh_token":")" + token + "\"}"));
}
/// Median seconds of a login attempt with a wrong password.
double seconds_of_login(const server& s, std::string_view name) {
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    CHECK(s.ask(post("/v1/auth/login", credentials(name, "wrong password"))).status == 401);
    all.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(all.begin(), all.end());
  return all[2];
}

}  // namespace

TEST_CASE("a registered player logs in with any spelling of the name and the right password",
          "[edge][auth]") {
  const server s;
  const auto made =
      s.ask(post("/v1/auth/register", credentials("0712 345 678", "correct horse", true)));
  CHECK(made.status == 201);
  CHECK(text_in(made.body, "display") == "Asha");
  const auto in = s.ask(post("/v1/auth/login", credentials("+254-712-345-678", "correct horse")));
  CHECK(in.status == 200);
  CHECK(text_in(in.body, "player") == text_in(made.body, "player"));
  CHECK(text_in(in.body, "access_token") != text_in(made.body, "access_token"));
  const auto profile = s.ask(get("/v1/profile", text_in(in.body, "access_token")));
  CHECK(profile.status == 200);
  CHECK(text_in(profile.body, "name") == "+25471*****78");
  CHECK(s.ask(post("/v1/auth/login", credentials("+254712345678", "correct horsf"))).status == 401);
  CHECK(s.ask(post("/v1/auth/login", credentials("+254712345679", "correct horse"))).status == 401);
  CHECK(
      s.ask(post("/v1/auth/register", credentials("+254712345678", "another word", true))).status ==
      409);
}

TEST_CASE("bodies of accounts are checked field by field", "[edge][auth]") {
  const server s;
  const auto status = [&](std::string_view path, std::string_view body) {
    return s.ask(post(path, body)).status;
  };
  CHECK(status("/v1/auth/register", credentials("nobody", "long enough", true)) == 422);
  CHECK(status("/v1/auth/register", credentials("a@b.example", "short", true)) == 422);
  CHECK(status("/v1/auth/register", credentials("a@b.example", std::string(129, 'x'), true)) ==
        422);
  CHECK(status("/v1/auth/register", credentials("a@b.example", "long enough")) ==
        422);  // no display
  CHECK(status("/v1/auth/login", "{") == 400);
  CHECK(status("/v1/auth/login", "[]") == 400);
  CHECK(status("/v1/auth/login", R"({"name":7,"password":"x"})") == 400);
  CHECK(status("/v1/auth/login", R"({"name":"a@b.example","pass":"x"})") == 400);
  CHECK(status("/v1/auth/login", R"({"name":"a@b.example"})") == 401);
  CHECK(status("/v1/auth/guest", R"({"display":""})") == 201);
  CHECK(status("/v1/auth/guest", R"({"display":"a\u0007b"})") == 422);
  CHECK(status("/v1/auth/refresh", R"({"refresh_token":"x"})") == 401);
}

TEST_CASE("a refresh token works once; its second use ends the login and its sockets",
          "[edge][auth]") {
  server s;
  const auto first = s.ask(post("/v1/auth/guest", "{}"));
  const auto stolen = text_in(first.body, "refresh_token");
  const auto second = refresh(s, stolen);
  REQUIRE(second.status == 200);
  CHECK(text_in(second.body, "login") == text_in(first.body, "login"));
  const auto access = text_in(second.body, "access_token");
  CHECK(s.ask(get("/v1/profile", text_in(first.body, "access_token"))).status ==
        401);  // the old one went with it
  CHECK(s.ask(get("/v1/profile", access)).status == 200);
  auto client = s.connect();
  REQUIRE(client.upgrade(access, json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 1; }));
  CHECK(refresh(s, stolen).status == 401);
  CHECK(client.read_message() == "close 1008");
  CHECK(s.ask(get("/v1/profile", access)).status == 401);
  CHECK(refresh(s, text_in(second.body, "refresh_token")).status == 401);
}

TEST_CASE("tokens expire: access after 15 minutes, refresh when idle for 30 or after 12 hours",
          "[edge][auth]") {
  server s;
  s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  auto in = s.ask(post("/v1/auth/login", credentials("a@b.example", "long enough")));
  s.skew += 16 * 60'000;
  CHECK(s.ask(get("/v1/profile", text_in(in.body, "access_token"))).status == 401);
  in = refresh(s, text_in(in.body, "refresh_token"));
  CHECK(in.status == 200);
  CHECK(s.ask(get("/v1/profile", text_in(in.body, "access_token"))).status == 200);
  s.skew += 31 * 60'000;
  CHECK(refresh(s, text_in(in.body, "refresh_token")).status == 401);
  in = s.ask(post("/v1/auth/login", credentials("a@b.example", "long enough")));
  int refreshed = 0;
  while (refreshed < 60 && in.status == 200) {
    s.skew += 25 * 60'000;
    in = refresh(s, text_in(in.body, "refresh_token"));
    ++refreshed;
  }
  CHECK(refreshed == 29);  // 28 · 25 minutes lie within 12 hours
}

TEST_CASE("a player lists and ends single logins, or all of them", "[edge][auth]") {
  server s;
  s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  const auto one = s.ask(post(
      "/v1/auth/login", R"({"name":"a@b.example","password":"long enough","device":"phone"})"));
  const auto two = s.ask(post(
      "/v1/auth/login", R"({"name":"a@b.example","password":"long enough","device":"laptop"})"));
  const auto a = text_in(one.body, "access_token"), b = text_in(two.body, "access_token");
  const auto listed = s.ask(get("/v1/auth/sessions", a)).body;
  CHECK(listed.find("\"device\":\"phone\"") != std::string::npos);
  CHECK(listed.find("\"device\":\"laptop\"") != std::string::npos);
  const auto end = [&](const std::string& login, const std::string& token) {
    return s
        .ask("DELETE /v1/auth/sessions/" + login +
             " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n")
        .status;
  };
  CHECK(end(text_in(two.body, "login"), s.guest()) == 404);  // not one's own
  CHECK(end("nonsense", a) == 404);
  CHECK(end(text_in(two.body, "login"), a) == 200);
  CHECK(s.ask(get("/v1/profile", b)).status == 401);
  CHECK(s.ask(get("/v1/profile", a)).status == 200);
  CHECK(s.ask(post("/v1/auth/logout-everywhere", "", a)).status == 200);
  CHECK(s.ask(get("/v1/profile", a)).status == 401);
}

TEST_CASE("the seventeenth login ends the oldest", "[edge][auth]") {
  server s;
  const auto first =
      s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  std::string last;
  for (int i = 0; i < 16; ++i) {
    s.skew += 1000;
    last = text_in(s.ask(post("/v1/auth/login", credentials("a@b.example", "long enough"))).body,
                   "access_token");
  }
  CHECK(s.ask(get("/v1/profile", text_in(first.body, "access_token"))).status == 401);
  CHECK(s.ask(get("/v1/profile", last)).status == 200);
}

TEST_CASE("guessing is slowed down per account, and the right password waits too", "[edge][auth]") {
  auto o = server::quick();
  o.auth.account_limits = login_limits{};
  server s{o};
  s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  int refused = 0;
  for (int i = 0; i < 5 && refused == 0; ++i) {
    refused +=
        s.ask(post("/v1/auth/login", credentials("a@b.example", "wrong guess"))).status == 429 ? 1
                                                                                               : 0;
  }
  CHECK(refused == 1);
  const auto right = s.ask(post("/v1/auth/login", credentials("a@b.example", "long enough")));
  CHECK(right.status == 429);
  CHECK_FALSE(right.field("Retry-After").empty());
  CHECK(s.ask(post("/v1/auth/login", credentials("c@b.example", "wrong guess"))).status ==
        401);  // another account is not slowed
}

TEST_CASE("an unknown name takes as long to refuse as a known one", "[edge][auth]") {
  auto o = server::quick();
  o.auth.password_cost = {};  // the real one: 19 MiB, two passes
  server s{o};
  s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  const auto known = seconds_of_login(s, "a@b.example"),
             unknown = seconds_of_login(s, "b@b.example");
  CAPTURE(known, unknown);
  CHECK(known > 0.01);
  CHECK(unknown > 0.01);
  CHECK(unknown < 3 * known);
  CHECK(known < 3 * unknown);
}

TEST_CASE("a hash of lower cost is renewed at the next login", "[edge][auth]") {
  auto o = server::quick();
  server s{o};
  s.ask(post("/v1/auth/register", credentials("a@b.example", "long enough", true)));
  const auto weak = s.identities->by_name("a@b.example")->password_hash;
  o.auth.password_cost = {2, 8192 * 1024};
  edge stricter{o, s.actors, *s.identities, *s.reads, {}};
  REQUIRE(!stricter.start());
  raw_client client{stricter.port()};
  CHECK(client.ask(post("/v1/auth/login", credentials("a@b.example", "long enough"))).status ==
        200);
  const auto strong = s.identities->by_name("a@b.example")->password_hash;
  CHECK(strong != weak);
  CHECK(strong.find("t=2") != std::string::npos);
}

TEST_CASE("logins beyond the queue of the password pool get 503", "[edge][auth]") {
  auto o = server::quick();
  o.auth.password_cost = {};
  o.auth.password_threads = 1;
  o.auth.password_queue_max = 1;
  server s{o};
  std::vector<raw_client> all;
  for (int i = 0; i < 12; ++i) {
    all.push_back(s.connect());
    all.back().send(
        post("/v1/auth/login", credentials("x" + std::to_string(i) + "@b.example", "long enough")));
  }
  int busy = 0, done = 0;
  for (auto& one : all) {
    const auto status = one.read_answer().status;
    busy += status == 503 ? 1 : 0;
    done += status == 401 ? 1 : 0;
  }
  CHECK(busy > 0);
  CHECK(done >= 1);
  CHECK(busy + done == 12);
}

TEST_CASE("the security log names what happened and holds no secret", "[edge][auth]") {
  server s;
  s.ask(post("/v1/auth/register", credentials("+254712345678", "canary-password", true)));
  const auto in = s.ask(post("/v1/auth/login", credentials("+254712345678", "canary-password")));
  s.ask(post("/v1/auth/login", credentials("+254712345678", "canary-wrong")));
  s.ask(post("/v1/auth/logout", "", text_in(in.body, "access_token")));
  s.ask(get("/v1/wallet", text_in(in.body, "access_token")));
  s.connect().upgrade(text_in(in.body, "access_token"), "baraza.v1.json");
  std::string all;
  for (const auto& line : s.log_lines()) all += line + "\n";
  CHECK(std::count_if(s.log.begin(), s.log.end(), [](const auto& line) {
          return line.starts_with("token_refused address=127.0.0.1 request=");
        }) == 2);
  for (const auto* event : {"registered ", "login_ok ", "login_failed ", "logout "})
    CHECK(all.find(event) != std::string::npos);
  for (const auto& secret : {std::string{"canary"}, std::string{"254712345678"},
                             text_in(in.body, "access_token"), text_in(in.body, "refresh_token")}) {
    CHECK(all.find(secret) == std::string::npos);
  }
}
