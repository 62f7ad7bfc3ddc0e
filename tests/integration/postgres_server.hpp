// A private PostgreSQL, and a PgBouncer in front of it, for tests: real servers in a temporary
// folder, as an unprivileged user even when the tests run as root, gone with the object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace baraza::tests {

/// Runs a program as a child that dies with this thread; as an unprivileged user when this process
/// is root.
class server_process {
 public:
  server_process() = default;
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  ~server_process() { kill(); }

  /// Output goes to `log`. Throws std::runtime_error if the program cannot be run.
  void start(const std::vector<std::string>& command, const std::filesystem::path& log);
  [[nodiscard]] bool is_running();
  void signal(int number) const;
  /// Waits for the end. @returns false after `seconds`
  bool wait(double seconds);
  /// SIGKILL to it and to all its children, and waits until they are gone.
  void kill();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

/// A temporary folder that the unprivileged user owns. Removed with the object.
class server_folder {
 public:
  /// @param base where to create it; the system's temporary folder by default
  explicit server_folder(const std::filesystem::path& base = {});
  ~server_folder();
  server_folder(const server_folder&) = delete;
  server_folder& operator=(const server_folder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// fsync and synchronous_commit are on unless `settings` says otherwise.
class postgres_server {
 public:
  using settings = std::map<std::string, std::string>;

  /// Creates and starts a cluster; some 2 s. Throws std::runtime_error with the reason and the
  /// log's end.
  /// @param base a folder on the file system to use, for example a small one
  explicit postgres_server(settings more = {}, const std::filesystem::path& base = {});
  ~postgres_server();

  /// One server for the whole test binary, started by its first use.
  static postgres_server& shared();

  /// Of `database`, over TCP on 127.0.0.1, as the superuser `baraza`.
  [[nodiscard]] std::string url(const std::string& database = "postgres") const;
  /// The same with another port: through a proxy.
  [[nodiscard]] std::string url_through(int port, const std::string& database) const;
  /// A new empty database of a unique name. @returns the name
  std::string create_database();
  void drop_database(const std::string& name);

  void start();
  /// SIGINT (fast shutdown): running transactions are aborted, the data is flushed.
  void stop();
  void restart() {
    stop();
    start();
  }
  /// SIGKILL to the whole server, as a power cut of the process; start() then recovers.
  void kill9();

  /// Runs SQL and returns the first column of the first row, empty if there is none. Throws
  /// std::runtime_error.
  std::string sql(const std::string& database, const std::string& text) const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string log_end() const;

 private:
  void wait_until_ready();

  settings settings_;
  server_folder folder_;
  server_process process_;
  int port_ = 0;
  int databases_ = 0;
};

/// PgBouncer in transaction mode before every database of `server`.
class pgbouncer {
 public:
  explicit pgbouncer(const postgres_server& server);
  [[nodiscard]] std::string url(const std::string& database) const;

 private:
  const postgres_server& server_;
  server_folder folder_;
  server_process process_;
  int port_ = 0;
};

/// A TCP port of 127.0.0.1 that was free a moment ago.
int free_port();
/// Finds `program` in PATH, /usr/sbin and Debian's /usr/lib/postgresql/*/bin (newest first).
std::optional<std::filesystem::path> find_server_program(const std::string& program);

}  // namespace baraza::tests
