// A child process that does not outlive the thread that started it, with its output in a file; and
// processes known by number and start time, so that a number which was given out again is nobody's
// harm.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

struct passwd;

namespace baraza::cluster::local {

struct process_id {
  pid_t pid = -1;
  std::uint64_t started = 0;  // clock ticks since boot, as the kernel counts them
  bool operator==(const process_id&) const = default;
};
/// @returns nothing if there is no such process, or only its remains
std::optional<process_id> identify(pid_t pid);
/// SIGKILL to it and its children, and waits until they are gone; nothing if the number belongs to
/// another process by now. Must not be a child of ours. @returns whether it was running
bool end_leftover(const process_id& what);

struct process_options {
  std::filesystem::path log;       // standard output and error are appended to it
  bool unprivileged = false;       // if we are root: as unprivileged_user()
  int death_signal = SIGKILL;      // sent when the thread that started it ends, however it ends
  std::vector<std::string> unset;  // beginnings of environment variables it does not inherit
};

class process {
 public:
  process() = default;
  ~process() { kill(); }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Throws `failure` if there is no such program or no process to be had. Only after the last one
  /// has ended.
  void start(const std::vector<std::string>& command, const process_options& options);
  [[nodiscard]] bool is_running() { return pid_ > 0 && !wait(std::chrono::milliseconds{0}); }
  void signal(int number) const;
  /// @returns its exit code, 128 + signal if one ended it; nothing if it still runs after `limit`
  std::optional<int> wait(std::chrono::milliseconds limit);
  /// SIGKILL to it and all its children, and waits until they are gone. @returns whether it ran
  bool kill();
  [[nodiscard]] const process_id& id() const { return id_; }
  /// As wait() would say.
  [[nodiscard]] std::optional<int> exit_code() const { return code_; }

 private:
  pid_t pid_ = -1;
  process_id id_;
  std::optional<int> code_;
};

/// Whom servers that refuse to be root run as: the packages' own user, or nobody. Null if we are
/// not root: then it is us. Throws `failure`.
const passwd* unprivileged_user();
/// In PATH, /usr/sbin, /usr/local/bin and Debian's /usr/lib/postgresql/*/bin (newest first).
std::optional<std::filesystem::path> find_program(const std::string& name);
/// A TCP port of `address` that was free a moment ago. Throws `failure`.
std::uint16_t free_port(const std::string& address = "127.0.0.1");
/// The last lines of a file; empty if it cannot be read.
std::string tail(const std::filesystem::path& file, std::size_t lines);

}  // namespace baraza::cluster::local
