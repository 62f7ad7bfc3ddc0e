#include "tests/integration/postgres_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

namespace baraza::tests {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;
constexpr auto start_limit = std::chrono::seconds{30};
constexpr double stop_limit_s = 30;
constexpr auto poll_every = std::chrono::milliseconds{10};

/// Servers refuse to run as root: then the packages' own user, or nobody.
const passwd* unprivileged() {
  if (geteuid() != 0) return nullptr;
  for (const char* name : {"postgres", "nobody"})
    if (const auto* user = getpwnam(name)) return user;
  throw std::runtime_error{"running as root, and there is neither a user postgres nor nobody"};
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream status{entry.path() / "stat"};
    std::string text{std::istreambuf_iterator<char>{status}, {}};
    const auto after_name = text.rfind(')');
    if (after_name == std::string::npos || after_name + 4 >= text.size())
      continue;  // ended while we looked
    if (std::atoi(text.c_str() + after_name + 4) == parent)
      found.push_back(std::atoi(name.c_str()));
  }
  return found;
}

[[noreturn]] void become(const std::vector<std::string>& command, const fs::path& log,
                         const passwd* user, pid_t parent) {
  std::vector<char*> arguments;
  for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out >= 0) {
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
  }
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
    _exit(126);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it
  if (getppid() != parent) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

void run(const std::vector<std::string>& command, const fs::path& log) {
  server_process process;
  process.start(command, log);
  if (!process.wait(120)) throw std::runtime_error{command[0] + " did not end"};
}

fs::path program(const std::string& name) {
  if (auto found = find_server_program(name)) return *found;
  throw std::runtime_error{name + " is not installed"};
}

}  // namespace

std::optional<fs::path> find_server_program(const std::string& name) {
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

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!bound) throw std::runtime_error{"no free TCP port"};
  return ntohs(address.sin_port);
}

// ---- server_process -----------------------------------------------------------------------------

void server_process::start(const std::vector<std::string>& command, const fs::path& log) {
  const auto* user = unprivileged();
  const auto self = getpid();
  pid_ = fork();
  if (pid_ == 0) become(command, log, user, self);
  if (pid_ < 0) throw std::runtime_error{"fork failed"};
}

bool server_process::is_running() {
  if (pid_ <= 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void server_process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool server_process::wait(double seconds) {
  const auto deadline = clock::now() + std::chrono::duration<double>{seconds};
  while (is_running()) {
    if (clock::now() > deadline) return false;
    std::this_thread::sleep_for(poll_every);  // polls: until the deadline
  }
  return true;
}

void server_process::kill() {
  if (pid_ <= 0) return;
  signal(SIGSTOP);  // it may not start further children while we list them
  const auto children = children_of(pid_);
  signal(SIGKILL);
  for (const auto child : children) ::kill(child, SIGKILL);
  wait(stop_limit_s);
  for (const auto child : children)
    for (int i = 0; i < 1000 && ::kill(child, 0) == 0; ++i)
      std::this_thread::sleep_for(poll_every);  // polls: until the deadline
}

// ---- server_folder ------------------------------------------------------------------------------

server_folder::server_folder(const fs::path& base) {
  std::string name =
      ((base.empty() ? fs::temp_directory_path() : base) / "baraza-server-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw std::runtime_error{"cannot create a folder like " + name};
  path_ = name;
  if (const auto* user = unprivileged();
      user != nullptr && chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error{"cannot give " + name + " to " + user->pw_name};
}

server_folder::~server_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

// ---- postgres_server ----------------------------------------------------------------------------

postgres_server::postgres_server(settings more, const fs::path& base)
    : settings_{std::move(more)}, folder_{base} {
  const auto data = folder_.path() / "data";
  run({program("initdb"), "-D", data, "-U", "baraza", "-A", "trust", "-E", "UTF8", "--locale=C",
       "--no-sync"},
      folder_.path() / "initdb.log");
  if (!fs::exists(data / "PG_VERSION")) throw std::runtime_error{"initdb failed: " + log_end()};
  start();
}

postgres_server::~postgres_server() { process_.kill(); }

postgres_server& postgres_server::shared() {
  static postgres_server server;
  return server;
}

void postgres_server::start() {
  constexpr int attempts = 5;  // the port may be taken between finding and binding it
  for (int attempt = 1;; ++attempt) {
    if (port_ == 0) port_ = free_port();
    std::vector<std::string> command{program("postgres"), "-D", folder_.path() / "data"};
    settings all{{"listen_addresses", "127.0.0.1"},
                 {"port", std::to_string(port_)},
                 {"unix_socket_directories", folder_.path()},
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
    process_.start(command, folder_.path() / "postgres.log");
    try {
      wait_until_ready();
      return;
    } catch (const std::runtime_error&) {
      process_.kill();
      if (attempt == attempts || databases_ > 0) throw;  // URLs already handed out name this port
      port_ = 0;
    }
  }
}

void postgres_server::wait_until_ready() {
  const auto deadline = clock::now() + start_limit;
  while (PQping(url().c_str()) != PQPING_OK) {
    if (!process_.is_running())
      throw std::runtime_error{"the test's PostgreSQL ended: " + log_end()};
    if (clock::now() > deadline)
      throw std::runtime_error{"the test's PostgreSQL does not answer: " + log_end()};
    std::this_thread::sleep_for(poll_every);  // polls: until the deadline
  }
}

void postgres_server::stop() {
  process_.signal(SIGINT);
  if (!process_.wait(stop_limit_s)) process_.kill();
}

void postgres_server::kill9() { process_.kill(); }

std::string postgres_server::url(const std::string& database) const {
  return url_through(port_, database);
}

std::string postgres_server::url_through(int port, const std::string& database) const {
  return "postgresql://baraza@127.0.0.1:" + std::to_string(port) + "/" + database;
}

std::string postgres_server::create_database() {
  const auto name = "test_" + std::to_string(++databases_);
  sql("postgres", "create database " + name);
  return name;
}

void postgres_server::drop_database(const std::string& name) {
  sql("postgres", "drop database if exists " + name + " with (force)");
}

std::string postgres_server::sql(const std::string& database, const std::string& text) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(url(database).c_str()),
                                                                &PQfinish};
  if (PQstatus(connection.get()) != CONNECTION_OK)
    throw std::runtime_error{PQerrorMessage(connection.get())};
  const std::unique_ptr<PGresult, decltype(&PQclear)> rows{PQexec(connection.get(), text.c_str()),
                                                           &PQclear};
  const auto status = PQresultStatus(rows.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw std::runtime_error{PQerrorMessage(connection.get())};
  return status == PGRES_TUPLES_OK && PQntuples(rows.get()) > 0 ? PQgetvalue(rows.get(), 0, 0) : "";
}

std::string postgres_server::log_end() const {
  std::string all;
  for (const char* name : {"initdb.log", "postgres.log"}) {
    std::ifstream file{folder_.path() / name};
    all.append(std::istreambuf_iterator<char>{file}, {});
  }
  return all.size() > 2000 ? all.substr(all.size() - 2000) : all;
}

// ---- pgbouncer ----------------------------------------------------------------------------------

pgbouncer::pgbouncer(const postgres_server& server) : server_{server}, port_{free_port()} {
  const auto ini = folder_.path() / "pgbouncer.ini";
  std::ofstream{ini} << "[databases]\n* = host=127.0.0.1 port=" << server.port()
                     << " user=baraza\n[pgbouncer]\n"
                     << "listen_addr = 127.0.0.1\nlisten_port = " << port_
                     << "\nunix_socket_dir =\nauth_type = any\n"
                     << "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = "
                        "100\nquery_timeout = 10\n";
  process_.start({program("pgbouncer"), ini}, folder_.path() / "pgbouncer.log");
  const auto deadline = clock::now() + start_limit;
  while (PQping(url("postgres").c_str()) != PQPING_OK) {
    if (!process_.is_running() || clock::now() > deadline) {
      std::ifstream file{folder_.path() / "pgbouncer.log"};
      throw std::runtime_error{"the test's PgBouncer does not answer: " +
                               std::string{std::istreambuf_iterator<char>{file}, {}}};
    }
    std::this_thread::sleep_for(poll_every);  // polls: until the deadline
  }
}

std::string pgbouncer::url(const std::string& database) const {
  return server_.url_through(port_, database);
}

}  // namespace baraza::tests
