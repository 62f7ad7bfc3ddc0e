// A program under test as a child process: its output in a file, dead with the object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace baraza::tests {

class real_process {
 public:
  /// Starts `command`; standard output and error are appended to `log`. Throws std::runtime_error
  /// if it cannot be run.
  real_process(const std::vector<std::string>& command, std::filesystem::path log);
  ~real_process() { kill(); }
  real_process(const real_process&) = delete;
  real_process& operator=(const real_process&) = delete;

  void signal(int number) const;
  /// The exit code (128 + signal if it was killed); nothing after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);
  [[nodiscard]] bool is_running() { return !wait(std::chrono::milliseconds{0}); }
  /// SIGKILL and wait. True if it was still running.
  bool kill();
  /// All that it has printed so far (and what ran before it into the same file).
  [[nodiscard]] std::string output() const;

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

/// Calls `holds` every 10 ms until it is true. False after `limit`.
template <class Holds>
bool eventually(std::chrono::milliseconds limit, Holds&& holds) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});  // polls: until the deadline
  }
  return true;
}

}  // namespace baraza::tests
