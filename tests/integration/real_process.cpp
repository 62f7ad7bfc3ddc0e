#include "tests/integration/real_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace baraza::tests {

real_process::real_process(const std::vector<std::string>& command, std::filesystem::path log)
    : log_{std::move(log)} {
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int out = ::open(log_.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  if (out < 0) throw std::runtime_error{"cannot write " + log_.string()};
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    // Not even a test that is killed leaves a server behind.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(out);
  if (pid_ < 0) throw std::runtime_error{"cannot fork"};
}

void real_process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> real_process::wait(std::chrono::milliseconds limit) {
  eventually(limit, [this] {
    if (pid_ <= 0) return true;
    int state = 0;
    if (::waitpid(pid_, &state, WNOHANG) != pid_) return false;
    pid_ = -1;
    code_ = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return true;
  });
  return code_;
}

bool real_process::kill() {
  if (pid_ <= 0) return false;
  ::kill(pid_, SIGKILL);
  int state = 0;
  ::waitpid(pid_, &state, 0);
  pid_ = -1;
  code_ = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
  return WIFSIGNALED(state);
}

std::string real_process::output() const {
  std::ifstream in{log_, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace baraza::tests
