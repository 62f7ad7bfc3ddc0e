// `baraza serve` as a child process with a data folder of its own, which can be ended and comes
// back on the same ports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/integration/real_process.hpp"

namespace baraza::tests {

class real_server {
 public:
  /// @param flags more of `serve`'s; nothing runs before start()
  explicit real_server(std::vector<std::string> flags = {});
  ~real_server();
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;

  /// Waits until it is ready; fails the test otherwise. The first start takes free ports, later
  /// ones the same again.
  void start();
  /// One that will not live: waits until it has ended. The ports are those of an earlier start().
  void start_doomed();
  real_process& process() { return *process_; }
  /// Runs another `baraza` command to its end, e.g. {"ledger", "verify", "--data", data()}.
  /// @returns its exit code and all it printed
  std::pair<int, std::string> run(std::vector<std::string> command) const;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] std::string url(const std::string& scheme = "ws") const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::string data() const { return (folder_ / "data").string(); }
  /// What it has printed since its last start.
  [[nodiscard]] std::string output() const { return process_->output(); }

 private:
  void launch();
  std::filesystem::path folder_;
  std::vector<std::string> flags_;
  std::optional<real_process> process_;
  std::uint16_t port_ = 0, admin_port_ = 0;
  int starts_ = 0;
  mutable int runs_ = 0;
};

}  // namespace baraza::tests
