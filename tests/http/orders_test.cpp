// What operators decide about players: on record first, then true on every door of the edge.
#include <catch2/catch_test_macros.hpp>

#include "http/access_cache.hpp"
#include "tests/http/edge_fixture.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr std::string_view json = "baraza.v1.json";
constexpr std::string_view credentials = R"({"name":"a@b.example","password":"long enough"})";

http_answer join(const server& s) {
  const auto made = s.ask(post("/v1/auth/register",
                               R"({"name":"a@b.example","password":"long enough","display":"A"})"));
  REQUIRE(made.status == 201);
  return made;
}
http_answer login(const server& s) { return s.ask(post("/v1/auth/login", credentials)); }
http_answer refresh(const server& s, const http_answer& of) {
  return s.ask(post("/v1/auth/refresh",
                    R"({"refresh_token":")" + text_in(of.body, "refresh_token") + "\"}"));
}
std::string access(const http_answer& of) { return text_in(of.body, "access_token"); }
std::string player(const http_answer& of) { return text_in(of.body, "player"); }

http_answer order(const server& s, const std::string& verb, const std::string& who,
                  std::string_view field = "X-Operator: amina\r\n") {
  return s.connect_admin().ask("POST /admin/v1/players/" + who + "/" + verb +
                               " HTTP/1.1\r\nHost: localhost\r\n" + std::string{field} +
                               "Content-Length: 0\r\n\r\n");
}
std::vector<storage::incident> incidents(const server& s) {
  const auto reader = s.store->open_reader();
  REQUIRE(reader);
  return *(*reader)->incidents(10);
}

/// Passes everything on, and lets a test act between the store's calls.
class watched_identities final : public storage::identity_store {
 public:
  explicit watched_identities(storage::identity_store& inner) : inner_{inner} {}
  std::function<void()> before_add = [] {};

  storage::status create(const storage::identity& w, const storage::login_session& s) override {
    return inner_.create(w, s);
  }
  storage::result<storage::identity> by_name(std::string_view n) override {
    return inner_.by_name(n);
  }
  storage::result<storage::identity> by_player(const uuid& p) override {
    return inner_.by_player(p);
  }
  storage::result<std::vector<std::string>> displays(std::span<const uuid> p) override {
    return inner_.displays(p);
  }
  storage::status set_password_hash(const uuid& p, std::string_view h) override {
    return inner_.set_password_hash(p, h);
  }
  storage::status set_disabled(const uuid& p, bool d) override { return inner_.set_disabled(p, d); }
  storage::status add_session(const storage::login_session& s) override {
    before_add();
    return inner_.add_session(s);
  }
  storage::result<storage::login_session> by_access(const storage::digest& d) override {
    return inner_.by_access(d);
  }
  storage::result<storage::login_session> by_refresh(const storage::digest& d) override {
    return inner_.by_refresh(d);
  }
  storage::status rotate(const storage::login_session& s, const storage::digest& d) override {
    return inner_.rotate(s, d);
  }
  storage::result<std::vector<storage::login_session>> sessions(const uuid& p) override {
    return inner_.sessions(p);
  }
  storage::status end_session(const uuid& s) override { return inner_.end_session(s); }
  storage::result<std::uint32_t> end_all(const uuid& p) override { return inner_.end_all(p); }
  storage::status purge_expired(millis now) override { return inner_.purge_expired(now); }

 private:
  storage::identity_store& inner_;
};

}  // namespace

TEST_CASE("a disabled player has no login, token, ticket or connection until he is enabled",
          "[edge][orders]") {
  const server s;
  const auto first = join(s), second = login(s);
  const auto ticket = text_in(s.ask(post("/v1/ws-ticket", "", access(first))).body, "ticket");
  auto socket = s.connect(), bystander = s.play();
  REQUIRE(socket.upgrade(access(first), json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 2; }));
  CHECK(s.ask(get("/v1/profile", access(second))).status == 200);

  const auto begin = std::chrono::steady_clock::now();
  const auto done = order(s, "disable", player(first));
  CHECK(done.status == 200);
  CHECK(done.body == R"({"disabled":true,"changed":true,"ended":2})");
  CHECK(socket.read_message() == "close 1008");
  CHECK(std::chrono::steady_clock::now() - begin < baraza::tests::slowness * 1s);
  CHECK(s.ask(get("/v1/profile", access(first))).status == 401);
  CHECK(s.ask(get("/v1/profile", access(second))).status == 401);
  CHECK(s.connect().upgrade(access(second), json).status == 401);
  CHECK(refresh(s, first).status == 401);
  const auto refused = login(s);
  CHECK(refused.status == 403);
  CHECK(text_in(refused.body, "code") == "account_disabled");
  // Nobody learns it who does not know the password.
  const auto guess = s.ask(post("/v1/auth/login", R"({"name":"a@b.example","password":"guess"})"));
  CHECK(text_in(guess.body, "code") == "bad_login");
  auto late = s.connect();
  REQUIRE(late.upgrade("", json, "Origin: http://localhost\r\n").status == 101);
  late.send_frame(1, R"({"t":"hello","id":1,"token":")" + ticket + "\"}");
  CHECK(late.read_message() == "close 1008");
  bystander.send_frame(1, R"({"t":"ping","id":1})");
  CHECK(bystander.read_message() == R"({"t":"ok","re":1})");
  CHECK(order(s, "disable", player(first)).body ==
        R"({"disabled":true,"changed":false,"ended":0})");

  CHECK(order(s, "enable", player(first)).body == R"({"disabled":false,"changed":true,"ended":0})");
  CHECK(s.ask(get("/v1/profile", access(second))).status == 401);  // that login has ended
  const auto back = login(s);
  CHECK(back.status == 200);
  CHECK(s.ask(get("/v1/profile", access(back))).status == 200);
}

TEST_CASE(
    "a guest's tokens, his only way in, are refused while he is disabled and work again after",
    "[edge][orders]") {
  const server s;
  const auto guest = s.ask(post("/v1/auth/guest", "{}"));
  CHECK(s.ask(get("/v1/profile", access(guest))).status == 200);
  CHECK(order(s, "disable", player(guest)).status == 200);
  CHECK(s.ask(get("/v1/profile", access(guest))).status == 401);
  CHECK(refresh(s, guest).status == 401);
  CHECK(order(s, "enable", player(guest)).status == 200);
  CHECK(s.ask(get("/v1/profile", access(guest))).status == 200);
  CHECK(refresh(s, guest).status == 200);
}

TEST_CASE("every order about a player is on record with who gave it", "[edge][orders]") {
  const server s;
  const auto made = join(s);
  for (const auto* verb : {"disable", "enable", "logout"}) {
    CAPTURE(verb);
    const auto before = incidents(s).size();
    CHECK(order(s, verb, player(made)).status == 200);
    const auto all = incidents(s);
    REQUIRE(all.size() == before + 1);
    CHECK(all.front().kind == std::string{verb} + "_ordered");
    CHECK(all.front().detail == "by amina from 127.0.0.1");
    CHECK(all.front().entity == entity_id{entity_kind::wallet, *uuid::parse(player(made))});
  }
  CHECK(order(s, "disable", player(made), "X-Operator: a b\r\n").status == 422);
  CHECK(order(s, "disable", "nobody").status == 404);
  const auto unknown = order(s, "disable", uuid::v4().to_string());
  CHECK(unknown.status == 404);
  CHECK(text_in(unknown.body, "code") == "unknown_player");
  CHECK(incidents(s).size() == 3);
  CHECK(login(s).status == 200);
}

TEST_CASE("an order that cannot be put on record is not carried out", "[edge][orders]") {
  edge_callbacks callbacks;
  callbacks.record = [](const storage::incident&) -> storage::status {
    return storage::error{storage::errc::unavailable, "away"};
  };
  const server s{server::quick(), callbacks};
  const auto made = join(s);
  for (const auto* verb : {"disable", "logout"}) {
    const auto answer = order(s, verb, player(made));
    CHECK(answer.status == 503);
    CHECK(text_in(answer.body, "message") == "The store does not answer: nothing was done.");
  }
  CHECK(s.ask(get("/v1/profile", access(made))).status == 200);
  CHECK(login(s).status == 200);
}

TEST_CASE("who is disabled while his password is checked gets no login", "[edge][orders]") {
  server s;
  const auto made = join(s);
  watched_identities between{*s.identities};
  edge other{server::quick(), s.actors, between, *s.reads, {}};
  REQUIRE(!other.start());
  int ordered = 0;
  between.before_add = [&] { ordered = order(s, "disable", player(made)).status; };
  raw_client client{other.port()};
  const auto refused = client.ask(post("/v1/auth/login", credentials));
  CHECK(ordered == 200);
  CHECK(refused.status == 403);
  CHECK(s.identities->sessions(*uuid::parse(player(made)))->empty());
}

TEST_CASE("what another edge ended is not believed here any more", "[edge][orders]") {
  server s;
  const auto first = join(s), second = login(s);
  const auto who = *uuid::parse(player(first)), one = *uuid::parse(text_in(first.body, "login"));
  auto socket = s.connect();
  REQUIRE(socket.upgrade(access(second), json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 1; }));
  const auto is_in = [&](const http_answer& with) {
    return s.ask(get("/v1/profile", access(with))).status == 200;
  };
  CHECK((is_in(first) && is_in(second)));
  REQUIRE(s.identities->end_session(one));
  CHECK(is_in(first));  // it was seen a moment ago
  s.actors.tell_ended(who, &one);
  CHECK_FALSE(is_in(first));
  CHECK(is_in(second));
  REQUIRE(s.identities->end_all(who));
  s.actors.tell_ended(who, nullptr);
  CHECK_FALSE(is_in(second));
  CHECK(socket.read_message() == "close 1008");
  CHECK(is_in(login(s)));  // whoever logs in after that is in
}

TEST_CASE("a token that was looked for before its login ended is not kept after it", "[edge]") {
  access_cache cache{10, 30'000};
  const auto player = uuid::v4(), login = uuid::v7(1);
  const storage::digest token{1};
  const auto seen = [&] { return caller{player, login, "A", 1'000'000, 1'000'000, cache.ends()}; };
  for (const auto& ended : {login, player}) {
    const auto before = seen();
    cache.put(token, before, 1'000);
    CHECK(cache.find(token, 1'000));
    CHECK_FALSE(cache.is_ended(before));
    cache.end(ended, 1'000);
    CHECK_FALSE(cache.find(token, 1'000));
    CHECK(cache.is_ended(before));
    cache.put(token, before, 1'000);  // the read that was on its way
    CHECK_FALSE(cache.find(token, 1'000));
    CHECK_FALSE(cache.is_ended(seen()));
  }
  cache.end(uuid::v4(), 1'000);
  cache.put(token, seen(), 1'000);
  CHECK(cache.find(token, 1'000));
}
