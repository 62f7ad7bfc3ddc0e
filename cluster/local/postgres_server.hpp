// A private PostgreSQL: a data folder of its own, an unprivileged user even for root, fsync on,
// dead with the object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cluster/local/process.hpp"

namespace baraza::cluster::local {

/// fsync and synchronous_commit are on unless `settings` says otherwise.
class postgres_server {
 public:
  using settings = std::map<std::string, std::string>;
  /// As synchronous_standby_names of a primary may name it.
  static constexpr const char* standby_name = "standby";

  /// Creates and starts a server; some 2 s. Must be made, and started, by a thread that outlives
  /// it. Throws `failure` with the reason and the log's end.
  /// @param folder for data and logs; made if it does not exist, then given to the server's user
  /// @param pass_file where to write a password, which URLs then name and only we may read; empty:
  /// whoever is on this machine may connect
  postgres_server(std::filesystem::path folder, settings more = {},
                  std::filesystem::path pass_file = {});
  /// A hot standby of `primary`, copied from it while it runs, and started: it streams under
  /// standby_name. Throws `failure`.
  postgres_server(const postgres_server& primary, std::filesystem::path folder);
  postgres_server(const postgres_server&) = delete;
  postgres_server& operator=(const postgres_server&) = delete;

  /// Of `database`, over TCP on 127.0.0.1, as the superuser `baraza`.
  [[nodiscard]] std::string url(const std::string& database = "postgres") const;
  /// The same elsewhere: through a proxy, or one of several.
  /// @param hosts HOST:PORT, or more of them with commas between
  [[nodiscard]] std::string url_at(const std::string& hosts,
                                   const std::string& database = "postgres") const;

  /// On the same port. Throws `failure`.
  void start();
  /// SIGINT (fast shutdown): running transactions are aborted, the data is flushed.
  void stop();
  void restart() {
    stop();
    start();
  }
  /// Makes a standby a primary: it takes what it has received, and begins a timeline of its own.
  void promote();
  /// SIGKILL to the whole server, as a power cut of the process; start() then recovers.
  void kill9() { process_.kill(); }
  [[nodiscard]] bool is_running() { return process_.is_running(); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const process_id& id() const { return process_.id(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::string log_end() const;

 private:
  void make_folder() const;
  void create();
  void copy(const postgres_server& primary);
  [[nodiscard]] std::vector<std::string> password_for_initdb() const;
  void wait_until_ready();

  const std::filesystem::path folder_;
  settings settings_;
  const std::filesystem::path pass_file_;
  process process_;
  std::uint16_t port_ = 0;
  bool is_port_told_ = false;
};

}  // namespace baraza::cluster::local
