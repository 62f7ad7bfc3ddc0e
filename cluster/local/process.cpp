#include "cluster/local/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/limits.hpp"

extern char** environ;

namespace baraza::cluster::local {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

struct process_facts {
  char state = '?';
  pid_t parent = 0;
  int threads = 0;
  std::uint64_t started = 0;
};

std::optional<process_facts> facts_of(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  // A process may end between the opening and the reading: then the file's buffer throws, which the
  // stream's own functions turn into an empty text, and bare iterators do not.
  std::string text;
  std::getline(in, text, '\0');
  const auto name_end = text.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest{text.substr(name_end + 1)};
  process_facts out;
  std::string skipped;
  rest >> out.state >> out.parent;
  constexpr int fields_between = 15;  // from the parent to the number of threads: proc(5)
  for (int i = 0; i < fields_between; ++i) rest >> skipped;
  rest >> out.threads >> skipped >> out.started;
  if (!rest) return std::nullopt;
  return out;
}

std::vector<process_id> children_of(pid_t parent) {
  std::vector<process_id> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::atoi(name.c_str()));
    const auto facts = facts_of(pid);
    if (facts && facts->parent == parent) found.push_back({pid, facts->started});
  }
  return found;
}

void wait_until_gone(const process_id& what) {
  const auto until = clock::now() + kill_limit;
  while (identify(what.pid) == what && clock::now() < until)
    std::this_thread::sleep_for(poll_every);
}

/// All that the child needs, made before the fork: between fork and exec nothing may be allocated,
/// as another thread of ours may hold the allocator's lock.
struct launch {
  std::vector<char*> words, environment;
  int log = -1;
  const passwd* user = nullptr;
  int death_signal = SIGKILL;
  pid_t parent = -1;
};

[[noreturn]] void become(const launch& what) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) _exit(126);
  dup2(what.log, STDOUT_FILENO);
  dup2(what.log, STDERR_FILENO);
  // Sockets of our proxies, locks: whoever inherits one keeps it alive.
  close_range(3, ~0U, 0);
  if (what.user != nullptr && (setgroups(0, nullptr) != 0 || setgid(what.user->pw_gid) != 0 ||
                               setuid(what.user->pw_uid) != 0))
    _exit(126);
  prctl(PR_SET_PDEATHSIG, what.death_signal);  // after setuid, which clears it
  if (getppid() != what.parent) _exit(126);
  execve(what.words[0], what.words.data(), what.environment.data());
  _exit(127);
}

std::vector<char*> inherited(const std::vector<std::string>& unset) {
  std::vector<char*> out;
  for (char** each = environ; *each != nullptr; ++each) {
    const bool dropped = std::any_of(unset.begin(), unset.end(), [&](const std::string& start) {
      return std::string_view{*each}.starts_with(start);
    });
    if (!dropped) out.push_back(*each);
  }
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::optional<process_id> identify(pid_t pid) {
  const auto facts = facts_of(pid);
  // A zombie may be a process whose first thread has ended and whose others have not yet.
  if (!facts || facts->state == 'X' || (facts->state == 'Z' && facts->threads <= 1))
    return std::nullopt;
  return process_id{pid, facts->started};
}

bool end_leftover(const process_id& what) {
  if (identify(what.pid) != what) return false;
  ::kill(what.pid, SIGSTOP);  // it may not start further children while we list them
  const auto children = children_of(what.pid);
  ::kill(what.pid, SIGKILL);
  for (const auto& child : children)
    if (identify(child.pid) == child) ::kill(child.pid, SIGKILL);
  wait_until_gone(what);
  for (const auto& child : children) wait_until_gone(child);
  return true;
}

void process::start(const std::vector<std::string>& command, const process_options& options) {
  if (access(command[0].c_str(), X_OK) != 0) throw failure{command[0] + " cannot be run"};
  launch what;
  for (const auto& word : command) what.words.push_back(const_cast<char*>(word.c_str()));
  what.words.push_back(nullptr);
  what.environment = inherited(options.unset);
  what.user = options.unprivileged ? unprivileged_user() : nullptr;
  what.death_signal = options.death_signal;
  what.parent = getpid();
  what.log = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (what.log < 0)
    throw failure{"cannot write " + options.log.string() + ": " + std::strerror(errno)};
  code_.reset();
  pid_ = fork();
  if (pid_ == 0) become(what);
  close(what.log);
  if (pid_ < 0) throw failure{std::string{"cannot fork: "} + std::strerror(errno)};
  id_ = identify(pid_).value_or(process_id{pid_, 0});
}

void process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
  const auto until = clock::now() + limit;
  while (pid_ > 0) {
    int state = 0;
    if (waitpid(pid_, &state, WNOHANG) == pid_) {
      pid_ = -1;
      code_ = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    } else if (clock::now() >= until) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(std::min(poll_every, limit));
    }
  }
  return code_;
}

bool process::kill() {
  if (!is_running()) return false;
  signal(SIGSTOP);  // it may not start further children while we list them
  const auto children = children_of(pid_);
  signal(SIGKILL);
  for (const auto& child : children) ::kill(child.pid, SIGKILL);
  wait(kill_limit);
  for (const auto& child : children) wait_until_gone(child);
  return true;
}

const passwd* unprivileged_user() {
  if (geteuid() != 0) return nullptr;
  for (const char* name : {"postgres", "nobody"})
    if (const auto* user = getpwnam(name)) return user;
  throw failure{"running as root, and there is neither a user postgres nor nobody"};
}

std::optional<fs::path> find_program(const std::string& name) {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", ignored})
    folders.push_back(entry.path() / "bin");
  std::ranges::sort(folders, [](const fs::path& x, const fs::path& y) {
    return std::atoi(x.parent_path().filename().c_str()) >
           std::atoi(y.parent_path().filename().c_str());
  });
  std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  path += ":/usr/sbin:/usr/local/bin";
  for (std::size_t from = 0; from <= path.size();) {
    const auto to = std::min(path.find(':', from), path.size());
    folders.emplace_back(path.substr(from, to - from));
    from = to + 1;
  }
  for (const auto& folder : folders)
    if (access((folder / name).c_str(), X_OK) == 0) return folder / name;
  return std::nullopt;
}

std::uint16_t free_port(const std::string& address) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  inet_pton(AF_INET, address.c_str(), &at.sin_addr);
  socklen_t size = sizeof at;
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  close(socket);
  if (!bound) throw failure{"no free TCP port at " + address};
  return ntohs(at.sin_port);
}

std::string tail(const fs::path& file, std::size_t lines) {
  std::ifstream in{file, std::ios::binary | std::ios::ate};
  if (!in) return {};
  constexpr std::streamoff line_bytes = 400;  // generous; what is longer shows fewer lines
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - static_cast<std::streamoff>(lines) * line_bytes));
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  auto from = text.size();
  for (std::size_t found = 0; from > 0; --from)
    if (text[from - 1] == '\n' && from != text.size() && ++found == lines) break;
  return text.substr(from);
}

}  // namespace baraza::cluster::local
