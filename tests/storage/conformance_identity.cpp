// People: names, password hashes, logins and the rotation of their tokens.
#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

digest token(std::uint8_t fill) {
  digest d;
  d.fill(fill);
  return d;
}

login_session login_of(const uuid& player, std::uint8_t number) {
  login_session s;
  s.id = uuid::v7(wall_clock());
  s.player = player;
  s.access = token(number);
  s.refresh = token(static_cast<std::uint8_t>(number + 100));
  s.access_expires_at = 1'000;
  s.idle_expires_at = 2'000;
  s.absolute_expires_at = 3'000;
  s.device = "a 'device'";
  return s;
}

identity person(std::optional<std::string> name) {
  return {uuid::v4(), std::move(name), "Asha", "$argon2id$v=19$x", false, 12'345};
}

}  // namespace

TEST_CASE("a person is found by name and by player key", "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("+254700000001");
  auto guest = person(std::nullopt);
  guest.display = "Mgeni \xe2\x98\x80";
  guest.password_hash.clear();
  guest.disabled = true;
  REQUIRE(people->create(asha, login_of(asha.player, 1)));
  REQUIRE(people->create(guest, login_of(guest.player, 2)));
  const auto found = people->by_name("+254700000001");
  REQUIRE(found);
  CHECK(found->player == asha.player);
  CHECK(found->name == asha.name);
  CHECK(found->display == "Asha");
  CHECK(found->password_hash == asha.password_hash);
  CHECK_FALSE(found->disabled);
  CHECK(found->created_at == 12'345);
  const auto second = people->by_player(guest.player);
  REQUIRE(second);
  CHECK_FALSE(second->name);
  CHECK(second->disabled);
  CHECK(people->by_name("nobody").why().code == errc::not_found);
  CHECK(people->by_name("").why().code == errc::not_found);
  CHECK(people->by_player(uuid::v4()).why().code == errc::not_found);
  const std::array asked{guest.player, uuid::v4(), asha.player};
  CHECK(*people->displays(asked) == std::vector<std::string>{guest.display, "", "Asha"});
}

TEST_CASE("a name belongs to one person, and a refused sign-up leaves nothing",
          "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("asha@example.org"), thief = person("asha@example.org");
  REQUIRE(people->create(asha, login_of(asha.player, 1)));
  const auto answer = people->create(thief, login_of(thief.player, 2));
  REQUIRE_FALSE(answer);
  CHECK(answer.why().code == errc::exists);
  CHECK(people->by_player(thief.player).why().code == errc::not_found);
  CHECK(people->by_access(token(2)).why().code == errc::not_found);
  // Guests have no name and do not collide.
  const auto one = person(std::nullopt), two = person(std::nullopt);
  CHECK(people->create(one, login_of(one.player, 3)));
  CHECK(people->create(two, login_of(two.player, 4)));
}

TEST_CASE("a password hash is replaced for its player only", "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("asha"), juma = person("juma");
  REQUIRE(people->create(asha, login_of(asha.player, 1)));
  REQUIRE(people->create(juma, login_of(juma.player, 2)));
  REQUIRE(people->set_password_hash(asha.player, "$argon2id$new"));
  CHECK(people->by_name("asha")->password_hash == "$argon2id$new");
  CHECK(people->by_name("juma")->password_hash == juma.password_hash);
  CHECK_FALSE(people->set_password_hash(uuid::v4(), "x"));
}

TEST_CASE("one person is disabled and enabled again, and logins and others stay as they are",
          "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("asha"), juma = person(std::nullopt);
  REQUIRE(people->create(asha, login_of(asha.player, 1)));
  REQUIRE(people->create(juma, login_of(juma.player, 2)));
  REQUIRE(people->set_disabled(asha.player, true));
  REQUIRE(people->set_disabled(asha.player, true));
  CHECK(people->by_name("asha")->disabled);
  CHECK(people->by_player(asha.player)->disabled);
  CHECK(people->by_name("asha")->password_hash == asha.password_hash);
  CHECK_FALSE(people->by_player(juma.player)->disabled);
  CHECK(people->sessions(asha.player)->size() == 1);
  REQUIRE(people->set_disabled(asha.player, false));
  CHECK_FALSE(people->by_name("asha")->disabled);
  REQUIRE(people->set_disabled(juma.player, true));
  CHECK(people->by_player(juma.player)->disabled);
  CHECK(people->set_disabled(uuid::v4(), true).why().code == errc::not_found);
}

TEST_CASE("a login is found by its tokens and rotates once per refresh",
          "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("asha");
  const auto login = login_of(asha.player, 1);
  REQUIRE(people->create(asha, login));
  const auto found = people->by_access(token(1));
  REQUIRE(found);
  CHECK(found->id == login.id);
  CHECK(found->player == asha.player);
  CHECK(found->device == login.device);
  CHECK(found->access_expires_at == 1'000);
  CHECK(found->idle_expires_at == 2'000);
  CHECK(found->absolute_expires_at == 3'000);
  CHECK(found->previous_refresh == digest{});
  CHECK(people->by_refresh(digest{}).why().code == errc::not_found);

  auto renewed = login;
  renewed.access = token(2);
  renewed.refresh = token(102);
  renewed.previous_refresh = login.refresh;
  renewed.access_expires_at = 5'000;
  REQUIRE(people->rotate(renewed, login.refresh));
  CHECK(people->by_access(token(1)).why().code == errc::not_found);
  CHECK(people->by_access(token(2))->access_expires_at == 5'000);
  // The old refresh token still leads to its family: reuse can be told from nonsense.
  const auto reused = people->by_refresh(login.refresh);
  REQUIRE(reused);
  CHECK(reused->id == login.id);
  CHECK(reused->previous_refresh == login.refresh);
  CHECK(reused->refresh == token(102));
  auto thief = login;
  thief.access = token(3);
  thief.refresh = token(103);
  CHECK(people->rotate(thief, login.refresh).why().code == errc::seq_conflict);
  CHECK(people->by_refresh(token(102)));
  CHECK(people->by_refresh(token(200)).why().code == errc::not_found);
}

TEST_CASE("logins end one by one, all at once, or by age", "[conformance][identity]") {
  EACH_STORE(kind);
  world w{kind};
  const auto people = w.store->open_identity();
  const auto asha = person("asha"), juma = person("juma");
  auto first = login_of(asha.player, 1), second = login_of(asha.player, 2),
       third = login_of(asha.player, 3);
  auto his = login_of(juma.player, 4);
  third.idle_expires_at = his.idle_expires_at = 50'000;
  third.absolute_expires_at = his.absolute_expires_at = 60'000;
  REQUIRE(people->create(asha, first));
  REQUIRE(people->add_session(second));
  REQUIRE(people->add_session(third));
  REQUIRE(people->create(juma, his));
  CHECK(people->sessions(asha.player)->size() == 3);
  REQUIRE(people->end_session(first.id));
  CHECK(people->by_access(token(1)).why().code == errc::not_found);
  REQUIRE(people->purge_expired(10'000));
  CHECK(people->sessions(asha.player)->size() == 1);
  REQUIRE(people->add_session(login_of(asha.player, 5)));
  const auto ended = people->end_all(asha.player);
  REQUIRE(ended);
  CHECK(*ended == 2);
  CHECK(people->sessions(asha.player)->empty());
  CHECK(people->by_access(token(4)));
  CHECK(*people->end_all(asha.player) == 0);
}
