// A private PostgreSQL, and a PgBouncer in front of it, for tests: real servers in a temporary
// folder, as an unprivileged user even when the tests run as root, gone with the object.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cluster/local/postgres_server.hpp"
#include "cluster/local/process.hpp"

struct pg_conn;  // libpq's

namespace baraza::tests {

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
class postgres_server : private server_folder, public cluster::local::postgres_server {
 public:
  /// Creates and starts a server; some 2 s. Throws std::runtime_error with the reason and the
  /// log's end.
  /// @param base a folder on the file system to use, for example a small one
  explicit postgres_server(settings more = {}, const std::filesystem::path& base = {})
      : server_folder{base}, cluster::local::postgres_server{path(), std::move(more)} {}

  /// One server for the whole test binary, started by its first use.
  static postgres_server& shared();

  /// The URL with another port: through a proxy.
  [[nodiscard]] std::string url_through(int port, const std::string& database) const {
    return url_at("127.0.0.1:" + std::to_string(port), database);
  }
  /// A new empty database of a unique name. @returns the name
  std::string create_database();
  void drop_database(const std::string& name);

  /// As sql_at().
  std::string sql(const std::string& database, const std::string& text) const;

 private:
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
  cluster::local::process process_;
  int port_ = 0;
};

/// Runs SQL at `url` and returns the first column of the first row, empty if there is none. Throws
/// std::runtime_error.
std::string sql_at(const std::string& url, const std::string& text);

/// A connection for many such questions: each opening of one costs the server a process.
class sql_session {
 public:
  explicit sql_session(const std::string& url);
  std::string operator()(const std::string& text);

 private:
  struct closed {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, closed> connection_;
};

using cluster::local::free_port;

}  // namespace baraza::tests
