#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "http/client/cards.hpp"
#include "http/client/player_file.hpp"

using namespace baraza;
using namespace baraza::client;

namespace {

struct temporary_folder {
  std::string path;
  temporary_folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "baraza-client-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

std::size_t columns(std::string_view line) {
  std::size_t count = 0;
  for (const char c : line) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

}  // namespace

TEST_CASE("every card has its name", "[cards]") {
  CHECK(card_name(0) == "2♣");
  CHECK(card_name(12) == "A♣");
  CHECK(card_name(13) == "2♦");
  CHECK(card_name(8 + 26) == "10♥");
  CHECK(card_name(51) == "A♠");
}

TEST_CASE("the table fits 80 columns and its lines are even", "[cards]") {
  const std::string long_name(200, 'x');
  for (const std::uint8_t card : {0, 8, 12, 21, 34, 51}) {
    std::istringstream lines{card_table(card, long_name, std::nullopt, long_name)};
    std::string line;
    std::getline(lines, line);
    CHECK(columns(line) <= 80);
    std::size_t width = 0;
    int count = 0;
    while (std::getline(lines, line)) {
      if (width == 0) width = columns(line);
      CHECK(columns(line) == width);
      ++count;
    }
    CHECK(count == 5);
    CHECK(width <= 80);
  }
}

TEST_CASE("colour is used only when asked for, and only for red suits", "[cards]") {
  for (int card = 0; card < 52; ++card) {
    const auto c = static_cast<std::uint8_t>(card);
    CHECK(card_name(c).find('\x1B') == std::string::npos);
    CHECK((card_name(c, {true}).find('\x1B') != std::string::npos) ==
          (card / 13 == 1 || card / 13 == 2));
  }
}

TEST_CASE("money is grouped and keeps its cents", "[cards]") {
  CHECK(money_text(0) == "0.00");
  CHECK(money_text(5) == "0.05");
  CHECK(money_text(100000) == "1,000.00");
  CHECK(money_text(123456789) == "1,234,567.89");
  CHECK(money_text(-250) == "-2.50");
  CHECK(money_text(INT64_MIN) == "-92,233,720,368,547,758.08");
}

TEST_CASE("an opponent's name cannot steer the terminal", "[cards]") {
  CHECK(shown_name("\x1B[2Jevil\r\n\x07") == "[2Jevil");
  CHECK(shown_name("a\xC2\x9B"
                   "31m") == "a31m");
  CHECK(shown_name("Wanjikũ") == "Wanjikũ");
  CHECK(shown_name("ééééé", 3) == "ééé");
}

TEST_CASE("a player is remembered by name and server, for its owner only", "[player_file]") {
  const temporary_folder folder;
  const uuid player = uuid::v4(), match = uuid::v4();
  {
    player_file file{folder.path};
    REQUIRE(file.claim("127.0.0.1:7777", "ann"));
    CHECK_FALSE(file.load());
    REQUIRE(file.save({{player, "Ann \"A\"", "access", "refresh"}, match, "c0ffee"}));
    REQUIRE(file.claim("127.0.0.1:7777", "bob"));
    CHECK_FALSE(file.load());
    REQUIRE(file.save({{uuid::v4(), "Bob", "x", "y"}, {}, {}}));
    REQUIRE(file.claim("other:1", "ann"));
    CHECK_FALSE(file.load());
  }
  player_file again{folder.path};
  REQUIRE(again.claim("127.0.0.1:7777", "ann"));
  const auto found = again.load();
  REQUIRE(found);
  CHECK(found->who.player == player);
  CHECK(found->who.display == "Ann \"A\"");
  CHECK(found->who.access == "access");
  CHECK(found->who.refresh == "refresh");
  CHECK(found->match == match);
  CHECK(found->commit == "c0ffee");
  struct stat status {};
  REQUIRE(::stat(again.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("two windows never play under one name", "[player_file]") {
  const temporary_folder folder;
  player_file first{folder.path}, second{folder.path};
  REQUIRE(first.claim_free("s:1", "player"));
  CHECK(first.name() == "player");
  CHECK_FALSE(second.claim("s:1", "player"));
  CHECK(second.error().find("another window") != std::string::npos);
  REQUIRE(second.claim_free("s:1", "player"));
  CHECK(second.name() == "player-2");
  player_file elsewhere{folder.path};
  CHECK(elsewhere.claim("s:2", "player"));
}

TEST_CASE("a damaged file of players is replaced, not fatal", "[player_file]") {
  const temporary_folder folder;
  std::ofstream{folder.path + "/player.json"} << "{\"player@s:1\": [1, 2";
  player_file file{folder.path};
  REQUIRE(file.claim("s:1", "player"));
  CHECK_FALSE(file.load());
  REQUIRE(file.save({{uuid::v4(), "x", "a", "r"}, {}, {}}));
  CHECK(file.load());
}
