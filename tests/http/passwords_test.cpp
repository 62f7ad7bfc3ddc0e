// Passwords that nobody may choose, and keys mixed into those that are chosen.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "http/breached.hpp"
#include "http/passwords.hpp"
#include "tests/http/edge_fixture.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr passwords::cost cheap{1, 8192 * 1024};
const std::string key_a(64, 'a'), key_b(64, 'b');

std::string write(const baraza::tests::temporary_folder& folder, std::string_view text,
                  mode_t mode = 0600) {
  const auto path = (folder.path() / "file").string();
  std::ofstream{path, std::ios::binary} << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}
breached_list listed(std::string_view text) {
  const baraza::tests::temporary_folder folder;
  auto out = breached_list::read(write(folder, text));
  REQUIRE(std::holds_alternative<breached_list>(out));
  return std::get<breached_list>(std::move(out));
}
std::shared_ptr<const peppers> keys(std::string_view text) {
  const baraza::tests::temporary_folder folder;
  auto out = peppers::read(write(folder, text));
  if (const auto* why = std::get_if<std::string>(&out)) FAIL(*why);
  return std::make_shared<const peppers>(std::get<peppers>(std::move(out)));
}
std::string line(std::string_view id, const std::string& key) {
  return std::string{id} + " " + key + "\n";
}
edge_options with(std::shared_ptr<const peppers> which) {
  auto o = server::quick();
  o.auth.pepper = std::move(which);
  return o;
}
constexpr std::string_view account =
    R"({"name":"a@b.example","password":"long enough","display":"A"})";
std::string login(std::string_view password = "long enough") {
  return post("/v1/auth/login",
              R"({"name":"a@b.example","password":")" + std::string{password} + "\"}");
}

}  // namespace

TEST_CASE("a list names passwords as they are typed, by SHA-256 or by SHA-1, with or without count",
          "[auth][breached]") {
  // echo -n password1 | sha1sum; echo -n "correct horse" | sha256sum
  const auto list = listed(
      "letmein!!\r\n"
      "E38AD214943DAAD1D64C102FAEC29DE4AFE9DA3D:2413945\n"
      "\n"
      "short\n"
      "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631:1\n"
      "last one without a line end");
  CHECK(list.contains("letmein!!"));
  CHECK(list.contains("password1"));
  CHECK(list.contains("correct horse"));
  CHECK(list.contains("last one without a line end"));
  CHECK_FALSE(list.contains("short"));  // too short to be chosen anyhow
  CHECK_FALSE(list.contains("Letmein!!"));
  CHECK_FALSE(list.contains("letmein!!\r"));
  CHECK_FALSE(list.contains("a fresh one"));
  CHECK_FALSE(list.contains("E38AD214943DAAD1D64C102FAEC29DE4AFE9DA3D"));
  CHECK(list.size() == 4);
  const auto hashed =
      listed("b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9:x\n");
  CHECK(hashed.contains("b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb9:x"));
  CHECK(listed("0b14d501a594442a01c6859541bcb3e8164d183d32937b851835442f69d5c94e\n")
            .contains("password1"));
}

TEST_CASE("a list that cannot be read says why", "[auth][breached]") {
  const baraza::tests::temporary_folder folder;
  const auto why = [&](const std::string& path) {
    const auto out = breached_list::read(path);
    REQUIRE(std::holds_alternative<std::string>(out));
    return std::get<std::string>(out);
  };
  CHECK(why((folder.path() / "none").string()).ends_with("none does not exist"));
  CHECK(why(folder.path().string()).ends_with("is no regular file"));
  const auto empty = breached_list::read(write(folder, ""));
  CHECK(std::get<breached_list>(empty).size() == 0);
}

TEST_CASE("nobody registers with a password of the list", "[edge][auth][breached]") {
  auto o = server::quick();
  o.auth.breached = std::make_shared<const breached_list>(listed("long enough\n"));
  const server s{o};
  const auto refused = s.ask(post("/v1/auth/register", account));
  CHECK(refused.status == 422);
  CHECK(text_in(refused.body, "code") == "breached_password");
  CHECK(s.identities->by_name("a@b.example").why().code == storage::errc::not_found);
  CHECK(s.ask(post("/v1/auth/register",
                   R"({"name":"a@b.example","password":"long enoughs","display":"A"})"))
            .status == 201);
  std::string log;
  for (const auto& one : s.log_lines()) log += one + "\n";
  CHECK(log.find("register_refused name=a***@b.example breached password") != std::string::npos);
  CHECK(log.find("long enough") == std::string::npos);
}

TEST_CASE("a peppered hash fits with its key only, and names it", "[auth][pepper]") {
  const passwords::hasher plain{cheap, nullptr}, first{cheap, keys(line("a", key_a))},
      second{cheap, keys(line("b", key_b) + line("a", key_a))},
      other{cheap, keys(line("a", key_b))};
  using passwords::verdict;
  const auto stored = *first.hash("long enough");
  CHECK(stored.starts_with("$hmac-sha256$k=a,c="));
  CHECK(stored.find("$argon2id$v=19$m=8192,t=1,p=1$") != std::string::npos);
  CHECK(passwords::key_of(stored).starts_with("a."));
  CHECK(first.verify(stored, "long enough") == verdict::right);
  CHECK(first.verify(stored, "long enougs") == verdict::wrong);
  CHECK(second.verify(stored, "long enough") == verdict::right);
  CHECK(plain.verify(stored, "long enough") == verdict::no_key);
  CHECK(other.verify(stored, "long enough") == verdict::no_key);  // the same id, another key
  // Without the key, what is stored is no hash of the password.
  const auto bare = stored.substr(stored.find("$argon2id$"));
  CHECK(plain.verify(bare, "long enough") == verdict::wrong);

  const auto old = *plain.hash("long enough");
  CHECK(passwords::key_of(old).empty());
  CHECK(first.verify(old, "long enough") == verdict::right);
  CHECK_FALSE(plain.is_outdated(old));
  CHECK(first.is_outdated(old));
  CHECK_FALSE(first.is_outdated(stored));
  CHECK(second.is_outdated(stored));
  CHECK(plain.is_outdated(stored));
  CHECK(passwords::hasher{{2, 8192 * 1024}, keys(line("a", key_a))}.is_outdated(stored));
  const passwords::hasher soon{cheap, keys("none\n" + line("a", key_a))};
  CHECK(passwords::key_of(*soon.hash("long enough")).empty());
  CHECK(soon.verify(stored, "long enough") == verdict::right);
  CHECK_FALSE(soon.is_outdated(old));
  for (const auto* broken : {"$hmac-sha256$k=a", "$hmac-sha256$k=a,c=1$x", "$hmac-sha256$", ""})
    CHECK(first.verify(broken, "long enough") == verdict::wrong);
}

TEST_CASE("a pepper that is introduced or changed is taken at the next login", "[edge][pepper]") {
  server s;
  REQUIRE(s.ask(post("/v1/auth/register", account)).status == 201);
  const auto stored = [&] { return s.identities->by_name("a@b.example")->password_hash; };
  const auto key_after_login = [&](std::shared_ptr<const peppers> which) {
    edge other{with(std::move(which)), s.actors, *s.identities, *s.reads, {}};
    REQUIRE(!other.start());
    CHECK(raw_client{other.port()}.ask(login()).status == 200);
    return passwords::key_of(stored()).substr(0, 1);
  };
  CHECK(passwords::key_of(stored()).empty());
  CHECK(key_after_login(keys("none\n" + line("a", key_a))).empty());
  CHECK(key_after_login(keys(line("a", key_a))) == "a");
  const auto kept = stored();
  CHECK(key_after_login(keys(line("a", key_a))) == "a");
  CHECK(stored() == kept);  // nothing to renew
  CHECK(key_after_login(keys(line("b", key_b) + line("a", key_a))) == "b");
  CHECK(key_after_login(keys(line("b", key_b))) == "b");
  CHECK(key_after_login(keys("none\n" + line("b", key_b))).empty());
  CHECK(s.ask(login()).status == 200);  // and back without any
}

TEST_CASE("a missing or other key is the server's error, not a wrong password", "[edge][pepper]") {
  const server s{with(keys(line("a", key_a)))};
  REQUIRE(s.ask(post("/v1/auth/register", account)).status == 201);
  const auto stored = s.identities->by_name("a@b.example")->password_hash;
  for (const auto& which :
       {std::shared_ptr<const peppers>{}, keys(line("b", key_b)), keys(line("a", key_b))}) {
    std::string log;
    edge_callbacks callbacks;
    callbacks.log = [&](std::string_view event, const std::string& detail) {
      log += std::string{event} + " " + detail + "\n";
    };
    auto o = with(which);
    o.auth.account_limits = login_limits{.tries_per_minute = 1'000, .free_failures = 1};
    recording_bridge quiet;
    edge other{o, quiet, *s.identities, *s.reads, callbacks};
    REQUIRE(!other.start());
    for (int i = 0; i < 3; ++i) {  // and it does not count as a guess
      const auto answer = raw_client{other.port()}.ask(login());
      CHECK(answer.status == 503);
      CHECK(text_in(answer.body, "code") == "unavailable");
    }
    CHECK(log.find("password_key_missing player=") != std::string::npos);
    CHECK(log.find("key=a.") != std::string::npos);
    CHECK(s.identities->by_name("a@b.example")->password_hash == stored);
  }
  CHECK(s.ask(login("wrong word")).status == 401);
  CHECK(s.ask(login()).status == 200);
}

TEST_CASE("a pepper file holds named keys of 32 bytes that not everybody may read",
          "[auth][pepper]") {
  const baraza::tests::temporary_folder folder;
  const auto good = peppers::read(
      write(folder, "# of 2026\n\n  2026-a \t" + key_a + "\r\n2025-b " + std::string(64, 'B')));
  REQUIRE(std::holds_alternative<peppers>(good));
  const auto& read = std::get<peppers>(good);
  REQUIRE(read.current() != nullptr);
  CHECK(read.current()->id == "2026-a");
  CHECK(read.current()->check.size() == 8);
  CHECK(read.find("2026-a", read.current()->check) == read.current());
  CHECK(read.find("2026-a", "00000000") == nullptr);
  CHECK(read.find("2025-b", read.current()->check) == nullptr);
  const auto refused = [&](std::string_view text, std::string_view why, mode_t mode = 0600) {
    const auto out = peppers::read(write(folder, text, mode));
    REQUIRE(std::holds_alternative<std::string>(out));
    const auto& said = std::get<std::string>(out);
    CAPTURE(said);
    CHECK(said.find(why) != std::string::npos);
    CHECK(said.find("aaaa") == std::string::npos);
    CHECK(said.find('\n') == std::string::npos);
  };
  refused(line("a", key_a), "everybody", 0604);
  refused("", "holds no key");
  refused("none\n", "holds no key");
  refused(line("a", key_a) + "none\n", "in line 2");
  refused(line("a", key_a.substr(1)), "64 hexadecimal digits in line 1");
  refused(line("a", key_a + "a"), "64 hexadecimal digits");
  refused(line("a", key_a.substr(1) + "x"), "64 hexadecimal digits");
  refused(line("a", key_a) + line("a", key_b), "a key id that was there in line 2");
  refused(line("a,b", key_a), "no key id");
  refused(line(std::string(33, 'i'), key_a), "no key id");
  refused(key_a + "\n", "no key");
  refused(std::string(17'000, '#'), "longer than");
  std::string many;
  for (int i = 0; i < 17; ++i) many += line("k" + std::to_string(i), key_a);
  refused(many, "one key too many in line 17");
}
