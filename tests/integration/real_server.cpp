#include "tests/integration/real_server.hpp"

#include <stdlib.h>

#include <catch2/catch_test_macros.hpp>

namespace baraza::tests {

using namespace std::chrono_literals;

namespace {

constexpr auto start_limit = 60s;  // a loaded machine replays journals slowly
constexpr auto command_limit = 120s;

/// The number after `before` and the next colon that is followed by a digit.
std::uint16_t port_after(const std::string& text, const std::string& before) {
  auto at = text.find(before);
  REQUIRE(at != std::string::npos);
  at = text.find(':', at + before.size());
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint16_t>(std::stoi(text.substr(at + 1)));
}

}  // namespace

real_server::real_server(std::vector<std::string> flags) : flags_{std::move(flags)} {
  std::string pattern = std::filesystem::temp_directory_path() / "baraza-serve-XXXXXX";
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

real_server::~real_server() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void real_server::launch() {
  std::vector<std::string> command{BARAZA_BINARY, "serve",
                                   "--data",      data(),
                                   "--http",      "127.0.0.1:" + std::to_string(port_),
                                   "--admin",     "127.0.0.1:" + std::to_string(admin_port_)};
  command.insert(command.end(), flags_.begin(), flags_.end());
  process_.reset();
  process_.emplace(command, folder_ / ("serve-" + std::to_string(++starts_) + ".log"));
}

void real_server::start_doomed() {
  launch();
  const bool ended = eventually(start_limit, [this] { return !process_->is_running(); });
  INFO(output());
  REQUIRE(ended);
}

void real_server::start() {
  launch();
  const bool ready = eventually(start_limit, [this] {
    return output().find("play draw --url") != std::string::npos || !process_->is_running();
  });
  INFO(output());
  REQUIRE(ready);
  REQUIRE(process_->is_running());
  if (output().find("Baraza is ready at wss") != std::string::npos)
    port_ = port_after(output(), "Baraza is ready at wss:");
  else
    port_ = port_after(output(), "Baraza is ready at ws:");
  admin_port_ = port_after(output(), "  admin   http:");
}

std::pair<int, std::string> real_server::run(std::vector<std::string> command) const {
  command.insert(command.begin(), BARAZA_BINARY);
  real_process one{command, folder_ / ("run-" + std::to_string(++runs_) + ".log")};
  const auto code = one.wait(command_limit);
  INFO(one.output());
  REQUIRE(code);
  return {*code, one.output()};
}

std::string real_server::url(const std::string& scheme) const {
  return scheme + "://127.0.0.1:" + std::to_string(port_) + "/v1/play";
}

}  // namespace baraza::tests
