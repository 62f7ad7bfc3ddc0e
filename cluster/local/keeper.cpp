#include "cluster/local/keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/keeper_socket.hpp"
#include "cluster/local/status_text.hpp"

namespace baraza::cluster::local {
namespace {

std::string verdict(const failure& why) {
  return (why.is_usage ? "usage\n" : "failed\n") + std::string{why.what()};
}

cut cut_of(const std::vector<std::string>& words) {
  if (words.size() != 5) throw wrong_usage("partition NODE FROM both|out|in stalled|reset");
  cut what{words[1], words[2], cut::way::both, words[4] == "reset"};
  if (words[3] == "out") what.which = cut::way::out;
  if (words[3] == "in") what.which = cut::way::in;
  return what;
}

/// Carries out one command. Throws `failure`.
std::string carry_out(local_cluster& on, const std::vector<std::string>& words) {
  const auto& verb = words.at(0);
  const std::vector names(words.begin() + 1, words.end());
  if (verb == "status") return to_lines(on.status());
  if (verb == "add")
    return on.add(names.size() == 1 && names[0] == "edge" ? member_kind::edge : member_kind::node);
  if (verb == "kill") return on.kill(names), "";
  if (verb == "partition") return on.partition(cut_of(words)), "";
  if (verb == "heal") return on.heal(), "";
  if (verb == "store" && names.size() == 1) {
    if (names[0] == "stop") return on.stop_store(), "";
    if (names[0] == "start") return on.start_store(), "";
    if (names[0] == "kill") return on.kill_store(), "";
  }
  for (const auto& each : names) {
    if (verb == "pause")
      on.pause(each);
    else if (verb == "resume")
      on.resume(each);
    else if (verb == "drain")
      on.drain(each);
    else if (verb == "restart")
      on.restart(each);
    else
      throw wrong_usage("the keeper knows no " + verb);
  }
  return "";
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream in{line};
  for (std::string each; std::getline(in, each, '\t');) words.push_back(each);
  return words;
}

class keeper {
 public:
  keeper(cluster_options options, int report) : report_{report} {
    sigset_t set;
    sigemptyset(&set);
    for (const int each : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, each);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_ = signalfd(-1, &set, SFD_CLOEXEC);
    cluster_ = std::make_unique<local_cluster>(std::move(options));
    const auto log = cluster_->folder() / "keeper.log";
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    ::close(out);
    listener_ = listen_in(cluster_->folder());
    wait_until_ready();
  }
  ~keeper() {
    if (listener_ >= 0) ::close(listener_);
    if (signals_ >= 0) ::close(signals_);
  }
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;

  void serve() {
    while (cluster_) {
      pollfd waits[] = {{listener_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (poll(waits, 2, -1) < 0) continue;
      if (waits[1].revents != 0) return cluster_.reset();
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      answer(client);
      ::close(client);
    }
  }

 private:
  void wait_until_ready() {
    const auto until = std::chrono::steady_clock::now() + ready_limit;
    while (!cluster_->not_ready().empty()) {
      pollfd waits[] = {{report_, 0, 0}, {signals_, POLLIN, 0}};
      poll(waits, 2, static_cast<int>(poll_every.count()));
      if ((waits[0].revents & POLLERR) != 0) throw failure{"nobody waits for this cluster"};
      if (waits[1].revents != 0) throw failure{"told to end"};
      if (std::chrono::steady_clock::now() > until) cluster_->wait_until_ready(0ms);  // throws why
    }
  }

  void answer(int client) {
    const auto words = split(read_text(client, request_bytes_max, request_limit, false));
    if (words.empty()) return;
    std::string text;
    try {
      if (words[0] == "down") cluster_.reset();
      text = "ok\n" + (cluster_ ? carry_out(*cluster_, words) : std::string{});
    } catch (const failure& why) {
      text = verdict(why);
    } catch (const std::exception& why) {
      text = verdict(failure{why.what()});
    }
    write_text(client, text);
  }

  const int report_;
  int signals_ = -1, listener_ = -1;
  std::unique_ptr<local_cluster> cluster_;
};

/// What a keeper said, or why it said nothing.
std::string understood(const std::string& said, const std::string& if_silent) {
  if (said.starts_with("ok\n")) return said.substr(3);
  const auto text_at = said.find('\n');
  if (text_at == std::string::npos) throw failure{if_silent};
  throw failure{said.substr(text_at + 1), said.starts_with("usage\n")};
}

}  // namespace

int keep(cluster_options options, int report) {
  ::fcntl(report, F_SETFD, FD_CLOEXEC);
  std::optional<keeper> made;
  try {
    made.emplace(std::move(options), report);
  } catch (const std::exception& why) {
    const auto* ours = dynamic_cast<const failure*>(&why);
    write_text(report, verdict(ours != nullptr ? *ours : failure{why.what()}));
    return 1;
  }
  if (write_text(report, "ok\n")) {
    ::close(report);
    made->serve();
  }
  return 0;
}

void start_keeper(std::vector<std::string> command) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw failure{"cannot make a pipe"};
  constexpr int report = 3;
  command.push_back(std::to_string(report));
  std::vector<char*> words;
  for (auto& each : command) words.push_back(each.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nothing, each);
    // dup2 onto itself would leave it to be closed by exec.
    ends[1] == report ? void(fcntl(report, F_SETFD, 0)) : void(dup2(ends[1], report));
    close_range(report + 1, ~0U, 0);
    if (chdir("/") != 0) _exit(126);
    execv(words[0], words.data());
    _exit(127);
  }
  ::close(ends[1]);
  if (child < 0) throw failure{"cannot fork"};
  const auto said = read_text(ends[0], answer_bytes_max, store_start_limit + 2 * ready_limit, true);
  ::close(ends[0]);
  if (!said.starts_with("ok\n")) waitpid(child, nullptr, 0);  // it has cleaned up behind itself
  understood(said, "the keeper of the cluster ended without a word");
}

std::string ask_keeper(const std::filesystem::path& folder, const std::vector<std::string>& words) {
  const int socket = connect_in(folder);
  if (socket < 0)
    throw failure{"no cluster is up in " + folder.string() + " (`baraza cluster up` starts one)"};
  std::string line;
  for (const auto& each : words) line += (line.empty() ? "" : "\t") + each;
  std::string said;
  if (line.find('\n') == std::string::npos && write_text(socket, line + "\n"))
    said = read_text(socket, answer_bytes_max, answer_limit, true);
  ::close(socket);
  return understood(said, "the keeper in " + folder.string() + " does not answer");
}

}  // namespace baraza::cluster::local
