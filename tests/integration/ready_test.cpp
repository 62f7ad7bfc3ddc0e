// What an orchestrator sees of a node: live, ready, going away; and what the doctor says of its
// store.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>

#include <algorithm>
#include <fstream>

#include "tests/http/raw_client.hpp"
#include "tests/integration/postgres_server.hpp"
#include "tests/integration/real_server.hpp"

using namespace baraza;
using namespace std::chrono_literals;
using baraza::tests::real_server;
using http::tests::get;
using http::tests::post;
using http::tests::raw_client;

namespace {

constexpr auto limit = 30s;

/// The status of an answer; 0 if nobody listens any more.
int status(std::uint16_t port, std::string_view path) {
  try {
    return raw_client{port}.ask(get(path)).status;
  } catch (const std::exception&) {
    return 0;
  }
}

bool becomes(const real_server& at, std::string_view path, int wanted) {
  return tests::eventually(limit, [&] { return status(at.admin_port(), path) == wanted; });
}

std::string guest(const real_server& at) {
  const auto answer = raw_client{at.port()}.ask(post("/v1/auth/guest", "{}"));
  REQUIRE(answer.status == 201);
  return http::tests::text_in(answer.body, "access_token");
}

}  // namespace

TEST_CASE("a node that goes away is live but not ready, until its players are gone",
          "[serve][ready]") {
  real_server at;
  at.start();
  CHECK(status(at.admin_port(), "/livez") == 200);
  CHECK(status(at.admin_port(), "/readyz") == 200);
  raw_client player{at.port()};
  REQUIRE(player.upgrade(guest(at), "baraza.v1.json").status == 101);
  // Only who has been heard is a player: a handshake is cut without a farewell.
  player.send_frame(1, R"({"t":"ping","id":1})");
  REQUIRE(player.read_message().starts_with(R"({"t":"ok","re":1)"));

  at.process().signal(SIGTERM);
  // The player has not closed yet, so the node waits for him.
  REQUIRE(becomes(at, "/readyz", 503));
  CHECK(status(at.admin_port(), "/livez") == 200);
  CHECK(player.read_message().find("going_away") != std::string::npos);
  CHECK(player.read_message() == "close 1001");
  CHECK(at.process().wait(limit) == 0);
}

TEST_CASE("a node without its store is live but not ready, and recovers", "[serve][ready]") {
  tests::postgres_server postgres;
  const auto database = postgres.create_database();
  real_server at{{"--store", postgres.url(database)}};
  at.start();
  CHECK(status(at.admin_port(), "/readyz") == 200);
  postgres.stop();
  REQUIRE(becomes(at, "/readyz", 503));
  CHECK(status(at.admin_port(), "/livez") == 200);
  postgres.start();
  CHECK(becomes(at, "/readyz", 200));
  at.process().signal(SIGTERM);
  CHECK(at.process().wait(limit) == 0);
}

TEST_CASE("the operators' token is asked for by the running node", "[serve][admin]") {
  real_server at{{"--set", "admin.token_file=/nowhere/token"}};
  const auto [code, said] =
      at.run({"serve", "--data", at.data(), "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0",
              "--set", "admin.token_file=/nowhere/token"});
  CHECK(code == 1);
  CHECK(said.find("the admin token file /nowhere/token cannot be read: No such file") !=
        std::string::npos);
  CHECK(std::count(said.begin(), said.end(), '\n') == 1);

  const auto file = (at.folder() / "token").string();
  std::ofstream{file} << "0123456789abcdef0123456789abcdef\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  real_server guarded{{"--set", "admin.token_file=" + file}};
  guarded.start();
  CHECK(status(guarded.admin_port(), "/readyz") == 200);
  CHECK(status(guarded.admin_port(), "/metrics") == 401);
  CHECK(raw_client{guarded.admin_port()}
            .ask(get("/metrics", "0123456789abcdef0123456789abcdef"))
            .status == 200);
}

TEST_CASE("a file of passwords or of their keys that cannot be used ends the start with 2",
          "[serve][auth]") {
  real_server at;
  const auto keys = (at.folder() / "keys").string();
  std::ofstream{keys} << "a 0123\n";
  std::filesystem::permissions(keys, std::filesystem::perms{0600});
  const auto refused = [&](const std::string& setting, const std::string& why) {
    const auto [code, said] = at.run({"serve", "--data", at.data(), "--http", "127.0.0.1:0",
                                      "--admin", "127.0.0.1:0", "--set", setting});
    CAPTURE(said);
    CHECK(code == 2);
    CHECK(said.find(why) != std::string::npos);
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(at.data()));  // nothing was begun
  };
  refused("auth.breached_passwords_file=/nowhere/list",
          "the breached-password file /nowhere/list does not exist");
  refused("auth.pepper_file=/nowhere/keys", "the pepper file /nowhere/keys cannot be read");
  refused("auth.pepper_file=" + keys, "has no key of 64 hexadecimal digits in line 1");

  const auto list = (at.folder() / "list").string();
  std::ofstream{list} << "long enough\n";
  std::ofstream{keys} << "a " << std::string(64, 'a') << '\n';
  real_server careful{
      {"--set", "auth.breached_passwords_file=" + list, "--set", "auth.pepper_file=" + keys}};
  careful.start();
  const auto enrol = [&](const std::string& password) {
    return raw_client{careful.port()}
        .ask(post("/v1/auth/register",
                  R"({"name":"a@b.example","display":"A","password":")" + password + "\"}"))
        .status;
  };
  CHECK(enrol("long enough") == 422);
  CHECK(enrol("longer than that") == 201);
  CHECK(raw_client{careful.port()}
            .ask(post("/v1/auth/login", R"({"name":"a@b.example","password":"longer than that"})"))
            .status == 200);
}

TEST_CASE("a store is refused with another cluster key than its own", "[serve][key]") {
  real_server at;
  at.start();
  at.process().signal(SIGTERM);
  REQUIRE(at.process().wait(limit) == 0);
  const auto elsewhere = at.folder() / "elsewhere";
  const auto serve = [&] {
    return at.run({"serve", "--data", elsewhere.string(), "--store", "sqlite:" + at.data(),
                   "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"});
  };
  for (int time = 0; time < 2; ++time) {  // no key of that attempt is left to confuse the next
    const auto [code, said] = serve();
    CHECK(code == 1);
    CHECK(said.find("sealed with another cluster key than") != std::string::npos);
    CHECK(said.find("which did not exist") != std::string::npos);
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(elsewhere / "cluster.key"));
  }
  const auto key = elsewhere / "cluster.key";
  std::ofstream{key} << std::string(32, 'k');
  std::filesystem::permissions(key, std::filesystem::perms::owner_read);
  const auto [code, said] = serve();
  CHECK(code == 1);
  CHECK(said.find("which did not exist") == std::string::npos);
  CHECK(std::filesystem::exists(key));  // somebody's own
  at.start();                           // the right one still serves
}

TEST_CASE("the doctor says of the store what it is, and leaves it alone", "[serve][doctor]") {
  real_server at;
  const auto doctor = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command{"doctor",      "--data",  at.data(),    "--http",
                                     "127.0.0.1:0", "--admin", "127.0.0.1:0"};
    command.insert(command.end(), more.begin(), more.end());
    return at.run(command).second;
  };
  CHECK(doctor({}).find("baraza.db does not exist yet: serve makes it") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(at.data()));
  at.start();
  CHECK(doctor({}).find("OK   store: sqlite:" + at.data() + "/baraza.db answers: schema 2") !=
        std::string::npos);  // beside the node that holds it
  CHECK(doctor({"--store", "postgresql://nobody@127.0.0.1:1/none"}).find("FAIL store: ") !=
        std::string::npos);

  auto& postgres = tests::postgres_server::shared();
  const auto database = postgres.create_database();
  const auto answer = doctor({"--store", postgres.url(database)});
  CHECK(answer.find("answers and is empty: serve prepares it") != std::string::npos);
  CHECK(postgres.sql(database, "select count(*) from pg_tables where schemaname = 'public'") ==
        "0");
}
