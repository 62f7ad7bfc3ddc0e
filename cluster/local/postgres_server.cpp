#include "cluster/local/postgres_server.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
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

void write_secret(const fs::path& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool whole =
      file >= 0 && write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (file >= 0) close(file);
  if (!whole) throw failure{"cannot write " + path.string()};
}

/// To the server's user.
void give_away(const fs::path& path) {
  const auto* user = unprivileged_user();
  if (user != nullptr && chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw failure{"cannot give " + path.string() + " to " + user->pw_name};
}

std::string percent_encoded(const std::string& path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '-' || c == '_' || c == '.')
      out += c;
    else
      out.append({'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]});
  }
  return out;
}

}  // namespace

postgres_server::postgres_server(fs::path folder, settings more, fs::path pass_file)
    : folder_{std::move(folder)}, settings_{std::move(more)}, pass_file_{std::move(pass_file)} {
  create();
  start();
}

postgres_server::postgres_server(const postgres_server& primary, fs::path folder)
    : folder_{std::move(folder)}, settings_{primary.settings_}, pass_file_{primary.pass_file_} {
  settings_.erase("synchronous_standby_names");  // once promoted, it has no standby of its own
  copy(primary);
  start();
}

void postgres_server::make_folder() const {
  std::error_code why;
  fs::create_directories(folder_, why);
  if (why) throw failure{"cannot make " + folder_.string() + ": " + why.message()};
  const auto* user = unprivileged_user();
  if (user != nullptr) require_reachable(fs::absolute(folder_), user->pw_name);
  give_away(folder_);
}

void postgres_server::create() {
  make_folder();
  std::vector<std::string> command{program("initdb"), "-D", folder_ / "data", "-U",
                                   "baraza",          "-E", "UTF8",           "--locale=C",
                                   "--no-sync"};
  const auto password = password_for_initdb();
  command.insert(command.end(), password.begin(), password.end());
  process initdb;
  initdb.start(command, {.log = folder_ / "initdb.log", .unprivileged = true, .unset = {}});
  if (initdb.wait(store_start_limit) != 0) throw failure{"initdb failed: " + log_end()};
  std::error_code ignored;
  fs::remove(folder_ / "password", ignored);
}

void postgres_server::copy(const postgres_server& primary) {
  make_folder();
  std::string source = "host=127.0.0.1 port=" + std::to_string(primary.port()) +
                       " user=baraza application_name=" + standby_name;
  if (!pass_file_.empty()) {
    // Ours alone may read the other one; the server's user needs one, too.
    std::ifstream in{pass_file_};
    const auto own = folder_ / "store.pass";
    write_secret(own, {std::istreambuf_iterator<char>{in}, {}});
    give_away(own);
    source += " passfile='" + own.string() + "'";
  }
  process copying;
  copying.start({program("pg_basebackup"), "-D", folder_ / "data", "-d", source, "-X", "stream",
                 "-c", "fast", "-R", "--no-sync"},
                {.log = folder_ / "initdb.log", .unprivileged = true, .unset = {}});
  if (copying.wait(store_start_limit) != 0) throw failure{"pg_basebackup failed: " + log_end()};
}

/// A superuser of a server can run programs as its user: not for everybody on this machine.
std::vector<std::string> postgres_server::password_for_initdb() const {
  if (pass_file_.empty()) return {"-A", "trust"};
  std::array<unsigned char, 16> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    throw failure{"no random bytes"};
  std::string password;
  for (const auto byte : random) {
    password += "0123456789abcdef"[byte >> 4];
    password += "0123456789abcdef"[byte & 15];
  }
  const auto for_server = folder_ / "password";
  write_secret(for_server, password + "\n");
  give_away(for_server);
  write_secret(pass_file_, "*:*:*:baraza:" + password + "\n");
  return {"-A", "scram-sha-256", "--pwfile", for_server};
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

void postgres_server::promote() {
  process asking;
  asking.start({program("pg_ctl"), "promote", "-w", "-D", folder_ / "data"},
               {.log = folder_ / "initdb.log", .unprivileged = true, .unset = {}});
  if (asking.wait(store_start_limit) != 0) throw failure{"it is not promoted: " + log_end()};
}

std::string postgres_server::url(const std::string& database) const {
  return url_at("127.0.0.1:" + std::to_string(port_), database);
}

std::string postgres_server::url_at(const std::string& hosts, const std::string& database) const {
  auto url = "postgresql://baraza@" + hosts + "/" + database;
  return pass_file_.empty() ? url : url + "?passfile=" + percent_encoded(pass_file_);
}

std::string postgres_server::log_end() const {
  constexpr std::size_t lines = 12;
  return tail(folder_ / "initdb.log", lines) + tail(folder_ / "postgres.log", lines);
}

}  // namespace baraza::cluster::local
