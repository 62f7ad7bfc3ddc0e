// What is generated from the table and kept in the tree, and what the commands print and return.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

#include "config/commands.hpp"
#include "config/keys.hpp"
#include "config/print.hpp"
#include "config/values.hpp"
#include "temporary_file.hpp"

using namespace baraza::config;

namespace {

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

/// Compares a file of the tree with what the table generates; leaves the latter in the build folder
/// for a copy.
void check_generated(const std::string& in_tree, const std::string& expected) {
  const std::string source = BARAZA_SOURCE_DIR "/" + in_tree;
  const auto generated =
      std::string{BARAZA_GENERATED_DIR "/"} + std::filesystem::path{in_tree}.filename().string();
  std::ofstream{generated, std::ios::binary} << expected;
  INFO("differs from the table; to update: cp " << generated << " " << source);
  CHECK(read(source) == expected);
}

}  // namespace

TEST_CASE("the reference file and the manual are what the table says") {
  check_generated("config/baraza.toml", reference_toml());
  check_generated("docs/configuration.md", reference_markdown());
}

TEST_CASE("loading the reference file changes no default") {
  auto with = load({BARAZA_SOURCE_DIR "/config/baraza.toml", {}, {}});
  auto without = load({});
  REQUIRE(std::holds_alternative<loaded>(with));
  REQUIRE(std::holds_alternative<loaded>(without));
  for (const auto& k : keys()) {
    CAPTURE(k.full_name());
    CHECK(get(k, std::get<loaded>(with).values) == get(k, std::get<loaded>(without).values));
    CHECK(std::get<loaded>(with).origins.at(k.full_name()).from == origin::kind::file);
  }
}

TEST_CASE("printing masks passwords and names origins") {
  const auto result = load({std::nullopt,
                            {{"BARAZA_STORAGE_URL", "postgresql://u:hunter2@h/db"}},
                            {{"http.threads", "2", "--set"}}});
  REQUIRE(std::holds_alternative<loaded>(result));
  const auto& all = std::get<loaded>(result);
  const auto text = effective_text(all);
  const auto json = effective_json(all);
  CHECK(text.find("hunter2") == std::string::npos);
  CHECK(json.find("hunter2") == std::string::npos);
  CHECK(text.find("\nurl = \"postgresql://u:***@h/db\" ") != std::string::npos);
  CHECK(json.find(R"("http.threads":{"value":2,"unit":"threads","from":"flag","where":"--set"})") !=
        std::string::npos);
  CHECK(json.find('\n') == std::string::npos);
}

TEST_CASE("config check ends with 0 for a good file and with 2 otherwise") {
  const temporary_folder folder;
  const auto run = [](std::vector<std::string> arguments) {
    CLI::App app{"baraza"};
    int exit_code = -1;
    add_config_commands(app, exit_code);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
    app.parse(arguments);
    return exit_code;
  };
  CHECK(run({"config", "check", folder.write("good.toml", "[http]\nthreads = 2\n")}) == 0);
  CHECK(run({"config", "check", folder.write("bad.toml", "[http]\nthread = 2\n")}) == 2);
  CHECK(run({"config", "check", (folder.path / "none.toml").string()}) == 2);
  CHECK(run({"config", "print", "--http", "127.0.0.1:0", "--house-bot"}) == 0);
  CHECK(run({"config", "print", "--set", "http.threads=1", "--set", "log.level=warn", "--json"}) ==
        0);
  CHECK(run({"config", "print", "--set", "http.threads=999"}) == 2);
  CHECK(run({"config", "print", "--set", "http.threads"}) == 2);
}

TEST_CASE("every config command shows an example") {
  CLI::App app{"baraza"};
  int exit_code = 0;
  add_config_commands(app, exit_code);
  auto* config = app.get_subcommand("config");
  for (const auto* name : {"check", "print", "reference"}) {
    CAPTURE(name);
    CHECK(config->get_subcommand(name)->help().find("Example: ") != std::string::npos);
  }
}
