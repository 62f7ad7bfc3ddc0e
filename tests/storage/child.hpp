// A child process whose standard output is a pipe; killed with the object.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <poll.h>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;

namespace baraza::tests {

class child {
 public:
  explicit child(std::vector<std::string> words) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error{"pipe"};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int failed =
        ::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ends[0];
    if (failed != 0) throw std::runtime_error{"cannot start " + words[0]};
  }
  ~child() {
    kill();
    ::close(out_);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// One line without its end; false at the end of the output or after `limit` without any.
  bool read_line(std::string& line, std::chrono::milliseconds limit = std::chrono::seconds{20}) {
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return true;
      }
      pollfd wait{out_, POLLIN, 0};
      if (::poll(&wait, 1, static_cast<int>(limit.count())) <= 0) return false;
      char bytes[4096];
      const auto size = ::read(out_, bytes, sizeof bytes);
      if (size <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(size));
    }
  }

  /// SIGSTOP, SIGCONT and the like.
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }

  /// SIGKILL, then waits for its end. @returns whether it was still running
  bool kill() {
    if (pid_ <= 0) return false;
    ::kill(pid_, SIGKILL);
    int state = 0;
    ::waitpid(pid_, &state, 0);
    pid_ = -1;
    return WIFSIGNALED(state) && WTERMSIG(state) == SIGKILL;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string buffer_;
};

}  // namespace baraza::tests
