// A whole cluster of real processes on one machine: a private PostgreSQL, nodes, and between them
// proxies that can part them. The keeper of `baraza cluster up` and the test fixture both hold one.
#pragma once

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/local/addresses.hpp"
#include "cluster/local/folder.hpp"
#include "cluster/local/limits.hpp"
#include "cluster/local/postgres_server.hpp"
#include "cluster/local/proxy.hpp"

namespace baraza::cluster::local {

/// What the store has beside its primary.
enum class standby_kind : std::uint8_t {
  none,
  synchronous,   // no commit is acknowledged before it has it
  asynchronous,  // has it a little later, or much
};

struct cluster_options {
  std::filesystem::path binary;        // `baraza`
  std::filesystem::path folder;        // made, and removed in the end
  std::filesystem::path store_folder;  // of the store; empty: in `folder`. Not removed
  unsigned nodes = 3;                  // at least one
  unsigned edges = 0;                  // 0: every node is an edge as well
  bool house_bot = false;              // on the first edge
  bool tls = false;                    // certificates between nodes, of an authority of its own
  std::vector<std::string> settings;   // more of every node's, as SECTION.KEY=VALUE
  postgres_server::settings postgres;  // more of the store's, as in postgresql.conf
  standby_kind standby = standby_kind::none;
};

enum class member_kind : std::uint8_t { node, edge };

/// What to part. A pair of processes, or one process and the store, talk on two roads, one each
/// way; a cut closes one or both.
struct cut {
  std::string node;
  std::string from = "others";  // "others", "store", "all" (both), or one node's name
  enum class way : std::uint8_t {
    both,
    out,  // what `node` sends is lost
    in,   // what is sent to `node` is lost
  } which = way::both;
  bool is_reset = false;  // connections break; otherwise they are silent, which is nastier
};
/// "node-1 from store, what it sends, reset"
std::string to_string(const cut& what);

struct member_status {
  std::string name, roles;
  std::string state;  // starting, ready, unready, paused, draining, ended(CODE)
  pid_t pid = -1;     // of its last process
  int starts = 0;
  std::string play_url;  // ws://…/v1/play; empty if it takes no players
  std::string http_url, admin_url, link;
};
struct cluster_status {
  std::string folder, store_url, store_state;  // running or stopped
  std::string parted_by;                       // how partitions are made
  std::vector<std::string> cuts;
  std::vector<member_status> members;
  std::string view;  // what a ready node answers to GET /admin/v1/cluster; empty: nothing yet
};

/// One thread, which outlives the object: processes end with the thread that started them. Every
/// call that cannot be carried out throws `failure` with one line.
class local_cluster {
 public:
  /// Starts the store and every process; does not wait until they are ready.
  explicit local_cluster(cluster_options options);
  ~local_cluster();
  local_cluster(const local_cluster&) = delete;
  local_cluster& operator=(const local_cluster&) = delete;

  /// Waits for every process that runs and is not paused, cut off or draining. Throws with the end
  /// of its log if one ends instead, or is not ready after `limit`.
  void wait_until_ready(std::chrono::milliseconds limit = ready_limit);
  /// The names of those it would still wait for. Throws if one has ended.
  [[nodiscard]] std::vector<std::string> not_ready();
  /// One node, whatever the others do.
  void wait_until_ready(const std::string& name, std::chrono::milliseconds limit = ready_limit);
  [[nodiscard]] cluster_status status();

  [[nodiscard]] std::vector<std::string> names(member_kind kind) const;
  /// Those that take players: the edges, or every node of a cluster without edges.
  [[nodiscard]] std::vector<std::string> doors() const;
  [[nodiscard]] std::string play_url(const std::string& name) const;
  [[nodiscard]] std::string admin_url(const std::string& name) const;
  /// Past every proxy; of the primary.
  [[nodiscard]] std::string store_url() const { return primary().url(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path log_of(const std::string& name) const;
  [[nodiscard]] bool is_running(const std::string& name);
  /// Exit code, 128 + signal if one ended it; nothing while it runs.
  [[nodiscard]] std::optional<int> exit_code(const std::string& name);

  /// Starts one more. @returns its name
  std::string add(member_kind kind);
  /// Starts one that may well be refused: wait_until_ready() does not wait for it.
  /// @param settings more of its own, as SECTION.KEY=VALUE
  /// @param binary another one, as while a new version is rolled out
  std::string add_stranger(std::vector<std::string> settings,
                           const std::filesystem::path& binary = {});
  /// SIGKILL, all at once.
  void kill(const std::vector<std::string>& names);
  void pause(const std::string& name);
  void resume(const std::string& name);
  /// SIGTERM; the second one ends it at once. Does not wait.
  void drain(const std::string& name);
  /// @returns its exit code; nothing after `limit`
  std::optional<int> wait_for_end(const std::string& name, std::chrono::milliseconds limit);
  /// Kills it if it runs, and starts it again where it was.
  /// @param binary from now on; empty: the one it had
  void restart(const std::string& name, const std::filesystem::path& binary = {});

  /// Adds to what is parted already.
  void partition(const cut& what);
  void heal();

  /// The one that was the primary at first.
  postgres_server& store() { return postgres_; }
  void stop_store();
  void start_store();
  void kill_store();
  /// Throws `failure` if there is none. Its address stands in every node's URL, behind the
  /// primary's.
  postgres_server& standby();
  void stop_standby();
  void start_standby();
  /// The standby becomes the store. The old primary must be dead.
  void promote_standby();

 private:
  struct member {
    std::string name;
    member_kind kind{};
    unsigned number = 0;  // of its address, and its name to the proxy
    std::string address;
    std::vector<std::string> settings;                           // of this one alone
    std::filesystem::path binary;                                // likewise; empty: everybody's
    std::uint16_t http_port = 0, admin_port = 0, link_port = 0;  // its own
    std::uint16_t link_proxy_port = 0, store_proxy_port = 0, standby_proxy_port = 0;
    process running;
    int starts = 0;
    bool is_wanted = false;  // started, and neither killed nor drained since
    bool is_paused = false, is_draining = false;
  };

  member& find(const std::string& name);
  [[nodiscard]] const member& find(const std::string& name) const;
  member& make(member_kind kind);
  void write_settings(const member& m) const;
  void start(member& m);
  void note();
  [[nodiscard]] const postgres_server& primary() const {
    return is_promoted_ ? *standby_ : postgres_;
  }
  std::uint16_t add_store_route(const postgres_server& to, unsigned from);
  void set_roads(const cut& what, road how);
  [[nodiscard]] bool takes_players(const member& m) const;
  [[nodiscard]] std::string proxy_address() const { return addresses_.at(1); }
  [[nodiscard]] std::vector<std::string> unready(const std::vector<member*>& among);
  [[nodiscard]] std::vector<member*> wanted();
  [[nodiscard]] std::vector<std::string> still_missing(const std::vector<member*>& whom);
  void wait_for(const std::vector<member*>& whom, std::chrono::milliseconds limit);

  const cluster_options options_;
  cluster_folder folder_;
  address_block addresses_;
  postgres_server postgres_;
  std::unique_ptr<postgres_server> standby_;
  bool is_promoted_ = false;
  proxy proxy_;
  std::list<member> members_;
  std::map<member_kind, unsigned> made_;
  std::vector<cut> cuts_;
};

}  // namespace baraza::cluster::local
