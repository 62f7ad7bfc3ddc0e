// The house bot over the life of its node: the same players after a restart, and the match that was
// under way goes on.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tests/http/raw_client.hpp"
#include "tests/integration/real_server.hpp"

using namespace baraza;
using namespace std::chrono_literals;
using baraza::tests::eventually;
using baraza::tests::real_process;
using baraza::tests::real_server;

namespace {

constexpr auto limit = 60s;
constexpr std::size_t lobbies = 12;  // four lengths at three stakes

std::filesystem::path file_of(const real_server& at) {
  return std::filesystem::path{at.data()} / "house_bot" / "player.json";
}

std::string content(const real_server& at) {
  std::ifstream file{file_of(at)};
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

/// The players the bot is, from its own file.
std::set<std::string> players(const real_server& at) {
  std::set<std::string> out;
  const auto all = content(at);
  const std::string key = R"("player":")";
  for (auto found = all.find(key); found != std::string::npos; found = all.find(key, found + 1))
    out.insert(all.substr(found + key.size(), 36));
  return out;
}

}  // namespace

TEST_CASE("the house bot is the same after its node was killed, and plays its match on",
          "[serve][house_bot]") {
  real_server at{{"--house-bot"}};
  at.start();
  REQUIRE(eventually(limit, [&] { return players(at).size() == lobbies; }));
  const auto before = players(at);
  namespace fs = std::filesystem;
  CHECK((fs::status(file_of(at)).permissions() & fs::perms::mask) ==
        (fs::perms::owner_read | fs::perms::owner_write));

  real_process person{{BARAZA_BINARY, "play", "draw", "--url", at.url(), "--guest", "--auto",
                       "--best-of", "7", "--stake", "5", "--json"},
                      at.folder() / "play.log"};
  const std::string under_way = R"("match":")";  // of a match that has started: no empty text
  REQUIRE(eventually(limit, [&] {
    const auto all = content(at);
    for (auto found = all.find(under_way); found != std::string::npos;
         found = all.find(under_way, found + 1))
      if (all[found + under_way.size()] != '"') return true;
    return false;
  }));
  REQUIRE(person.is_running());
  REQUIRE(at.process().kill());
  at.start();
  const auto code = person.wait(limit);
  INFO(person.output());
  REQUIRE(code == 0);
  const auto said = person.output();
  CHECK(said.find(R"("how":"ended")") != std::string::npos);
  CHECK(said.find("forfeit") == std::string::npos);
  CHECK(players(at) == before);
  CHECK(at.run({"ledger", "verify", "--data", at.data()}).first == 0);
}
