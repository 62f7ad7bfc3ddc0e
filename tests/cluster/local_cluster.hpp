// A cluster of real processes for one test: `LocalCluster cluster{{.nodes = 3, .edges = 2}};` and
// docs/testing-with-a-cluster.md. Everything is gone with the object, also when the test fails or
// is killed; a test that failed shows the end of every log.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/local/local_cluster.hpp"

namespace baraza::tests {

/// What `baraza load` says at its end.
struct load_result {
  int exit_code = -1;  // 0: something was played and nothing acknowledged is lost
  std::uint64_t actions = 0, acknowledged = 0, verified = 0, lost = 0, matches = 0, reconnects = 0;
  std::map<std::string, std::uint64_t> errors;  // by code, what clients saw
  std::string text;                             // all that it printed
};

/// Bots that play through one door, remember every acknowledged action, and look each of them up in
/// its match's record in the end.
class load_run {
 public:
  load_run(const std::string& binary, const std::vector<std::string>& urls, unsigned tables,
           std::filesystem::path log);
  /// Lets them play their matches to the end and answers what became of every action. Fails the
  /// test if that takes longer than four minutes.
  load_result stop();
  [[nodiscard]] bool is_playing() { return bots_.is_running(); }

 private:
  std::filesystem::path log_;
  cluster::local::process bots_;
};

/// Style says snake_case; this is the one name that developers of games import.
class LocalCluster {
 public:
  struct options {
    unsigned nodes = 3;
    unsigned edges = 2;  // 0: players connect to the nodes
    bool house_bot = false;
    bool tls = false;                          // certificates between the nodes
    std::vector<std::string> settings;         // of every node, as SECTION.KEY=VALUE
    std::map<std::string, std::string> store;  // of PostgreSQL, as in postgresql.conf
    cluster::local::standby_kind standby = cluster::local::standby_kind::none;
    std::filesystem::path store_folder;  // of PostgreSQL; empty: in the cluster's own
    bool is_awaited = true;              // return when all are ready
  };
  /// Fails the test, with the end of a log, if the cluster does not get ready.
  explicit LocalCluster(options wanted);
  LocalCluster() : LocalCluster{options{}} {}
  ~LocalCluster();
  LocalCluster(const LocalCluster&) = delete;
  LocalCluster& operator=(const LocalCluster&) = delete;

  // Names, "node-1" and "edge-1", and addresses. doors(): whoever takes players.
  [[nodiscard]] std::vector<std::string> nodes() const;
  [[nodiscard]] std::vector<std::string> edges() const;
  [[nodiscard]] std::vector<std::string> doors() const { return cluster_->doors(); }
  [[nodiscard]] std::string url(const std::string& door) const { return cluster_->play_url(door); }
  [[nodiscard]] std::string url() const { return url(doors().front()); }
  [[nodiscard]] std::string admin(const std::string& node) const {
    return cluster_->admin_url(node);
  }
  [[nodiscard]] std::string store_url() const { return cluster_->store_url(); }

  // Bad days. Only drain(), add() and restart() wait.
  void kill(const std::string& node) { cluster_->kill({node}); }
  void kill_at_once(const std::vector<std::string>& nodes) { cluster_->kill(nodes); }
  void pause(const std::string& node) { cluster_->pause(node); }
  void resume(const std::string& node) { cluster_->resume(node); }
  /// SIGTERM. @returns its exit code; fails the test if it does not end in a minute
  int drain(const std::string& node);
  std::string add() { return add_one(cluster::local::member_kind::node); }
  std::string add_edge() { return add_one(cluster::local::member_kind::edge); }
  /// A node that may be refused, with settings of its own. Does not wait. @returns its name
  std::string add_stranger(std::vector<std::string> settings,
                           const std::filesystem::path& binary = {}) {
    return cluster_->add_stranger(std::move(settings), binary);
  }
  /// @param binary of another version, from now on
  void restart(const std::string& node, const std::filesystem::path& binary = {});
  /// {.node = "node-1"}: from the others, silently; see cluster::local::cut for the rest.
  void partition(const cluster::local::cut& what) { cluster_->partition(what); }
  void heal() { cluster_->heal(); }
  void stop_store() { cluster_->stop_store(); }
  void start_store() { cluster_->start_store(); }
  void kill_store() { cluster_->kill_store(); }
  // An asynchronous standby is stopped at first.
  void stop_standby() { cluster_->stop_standby(); }
  void start_standby() { cluster_->start_standby(); }
  void promote_standby() { cluster_->promote_standby(); }

  // What the test then asks.
  void wait_until_ready(std::chrono::milliseconds limit = cluster::local::ready_limit);
  [[nodiscard]] bool is_ready(const std::string& node);
  [[nodiscard]] bool is_running(const std::string& node) { return cluster_->is_running(node); }
  /// Exit code; nothing if it still runs after `limit`.
  std::optional<int> wait_for_end(const std::string& node, std::chrono::milliseconds limit) {
    return cluster_->wait_for_end(node, limit);
  }
  /// `baraza ledger verify`; fails the test with the first violation.
  void ledger_verify();
  /// Runs another `baraza` command. @returns its exit code and all it printed
  std::pair<int, std::string> run(std::vector<std::string> command);
  /// Bots at one door, from now until stop(); should it be closed, at the others.
  [[nodiscard]] std::unique_ptr<load_run> load(const std::string& door, unsigned tables = 8,
                                               const std::vector<std::string>& others = {});
  [[nodiscard]] std::string log(const std::string& node) const;
  cluster::local::local_cluster& cluster() { return *cluster_; }

 private:
  std::string add_one(cluster::local::member_kind kind);
  void keep_logs();
  std::filesystem::path next_log(const std::string& of);

  std::unique_ptr<cluster::local::local_cluster> cluster_;
  int runs_ = 0;
  unsigned failures_before_ = 0;
};

/// Calls `holds` every 20 ms until it is true. False after `limit`.
template <class Holds>
bool becomes_true(std::chrono::milliseconds limit, Holds&& holds);
void look_again_soon();

template <class Holds>
bool becomes_true(std::chrono::milliseconds limit, Holds&& holds) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    look_again_soon();
  }
  return true;
}

}  // namespace baraza::tests
