#include "cluster/local/postgres_server.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "cluster/local/failure.hpp"
#include "cluster/local/limits.hpp"

namespace baraza::cluster::local {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

std::string program(const std::string& name) {
  if (const auto found = find_program(name)) return *found;
  throw failure{"PostgreSQL's " + name + " is not installed (Debian: apt-get install postgresql)"};
}

/// What the server says of itself in postmaster.pid: its number in the first line, `ready` in the
/// eighth once it takes connections. This is how pg_ctl waits, and needs no client library.
bool is_ready(const fs::path& data, pid_t pid) {
  std::ifstream file{data / "postmaster.pid"};
  std::string line;
  for (int number = 1; number <= 8; ++number) {
    if (!std::getline(file, line)) return false;
    // The file of a server that was killed names another process.
    if (number == 1 && line != std::to_string(pid)) return false;
  }
  return line.starts_with("ready");
}

/// Every folder above must let the server's user pass, which a home folder of root's does not.
void require_reachable(const fs::path& folder, const char* user) {
  for (auto each = folder.parent_path(); each != each.root_path(); each = each.parent_path()) {
    struct stat about {};
    if (stat(each.c_str(), &about) == 0 && (about.st_mode & S_IXOTH) == 0)
      throw failure{"PostgreSQL runs as " + std::string{user} + ", who may not enter " +
                    each.string() + ": choose another folder"};
  }
}

}  // namespace

postgres_server::postgres_server(fs::path folder, settings more)
    : folder_{std::move(folder)}, settings_{std::move(more)} {
  create();
  start();
}

void postgres_server::create() {
  std::error_code why;
  fs::create_directories(folder_, why);
  if (why) throw failure{"cannot make " + folder_.string() + ": " + why.message()};
  const auto* user = unprivileged_user();
  if (user != nullptr) require_reachable(fs::absolute(folder_), user->pw_name);
  if (user != nullptr && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw failure{"cannot give " + folder_.string() + " to " + user->pw_name};
  process initdb;
  initdb.start({program("initdb"), "-D", folder_ / "data", "-U", "baraza", "-A", "trust", "-E",
                "UTF8", "--locale=C", "--no-sync"},
               {.log = folder_ / "initdb.log", .unprivileged = true, .unset = {}});
  if (initdb.wait(store_start_limit) != 0) throw failure{"initdb failed: " + log_end()};
}

void postgres_server::start() {
  if (process_.is_running()) return;
  constexpr int attempts = 5;  // the port may be taken between finding and binding it
  for (int attempt = 1;; ++attempt) {
    if (port_ == 0) port_ = free_port();
    std::vector<std::string> command{program("postgres"), "-D", folder_ / "data"};
    settings all{{"listen_addresses", "127.0.0.1"},
                 {"port", std::to_string(port_)},
                 {"unix_socket_directories", ""},
                 {"max_connections", "120"},
                 {"shared_buffers", "256MB"},
                 {"max_wal_size", "4GB"},
                 {"fsync", "on"},
                 {"synchronous_commit", "on"}};
    for (const auto& [name, value] : settings_) all[name] = value;
    for (const auto& [name, value] : all) {
      command.emplace_back("-c");
      command.push_back(name + "=" + value);
    }
    process_.start(command, {.log = folder_ / "postgres.log",
                             .unprivileged = true,
                             .death_signal = SIGQUIT,
                             .unset = {}});
    try {
      wait_until_ready();
      is_port_told_ = true;
      return;
    } catch (const failure&) {
      process_.kill();
      if (attempt == attempts || is_port_told_) throw;  // URLs already handed out name this port
      port_ = 0;
    }
  }
}

void postgres_server::wait_until_ready() {
  const auto deadline = clock::now() + store_start_limit;
  while (!is_ready(folder_ / "data", process_.id().pid)) {
    if (!process_.is_running()) throw failure{"PostgreSQL ended: " + log_end()};
    if (clock::now() > deadline) throw failure{"PostgreSQL does not get ready: " + log_end()};
    std::this_thread::sleep_for(poll_every);
  }
}

void postgres_server::stop() {
  process_.signal(SIGINT);
  if (!process_.wait(store_stop_limit)) process_.kill();
}

std::string postgres_server::url(const std::string& database) const {
  return url_at("127.0.0.1", port_, database);
}

std::string postgres_server::url_at(const std::string& host, int port,
                                    const std::string& database) {
  return "postgresql://baraza@" + host + ":" + std::to_string(port) + "/" + database;
}

std::string postgres_server::log_end() const {
  constexpr std::size_t lines = 12;
  return tail(folder_ / "initdb.log", lines) + tail(folder_ / "postgres.log", lines);
}

}  // namespace baraza::cluster::local
