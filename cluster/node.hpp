// One node: store, gate, region, readers and the actor system around them, started in order and
// stopped in reverse.
#pragma once

#include <caf/actor.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "cluster/link/link.hpp"
#include "cluster/membership/lease_keeper.hpp"
#include "cluster/services.hpp"
#include "storage/store.hpp"

namespace caf {
class actor_system;
}

namespace baraza::cluster {

/// How a node finds the others, and they it. Only with a store that serves several nodes.
struct cluster_options {
  std::string name = "baraza";    // of the cluster: nodes of another one are refused
  std::string listen_host;        // an address; connections to peers leave from it, too
  std::uint16_t listen_port = 0;  // 0: any free one
  std::string advertise;          // HOST:PORT that peers dial; empty: where it listens
  std::optional<link_certificates> certificates;  // without: loopback only
  std::string zone;
  std::uint32_t weight = 1;  // its share of the shards; 0: it owns none
  lease_options lease;
};

struct node_options {
  std::string name = "node-1";
  std::string address;
  std::string roles = "edge,game,payments";
  std::uint16_t writers = 2;  // commit connections, one thread each
  std::size_t readers = 2;    // read connections, one thread each
  std::uint32_t shards = 1024;
  std::size_t scheduler_threads = 0;  // 0: one for two cores: sockets and commits need the rest
  millis passivate_after = 120'000;
  std::optional<cluster_options> cluster;  // nothing: this node is alone and owns every shard
  std::chrono::milliseconds restart_backoff = restart_backoff_first;  // see restart_budget
  std::size_t gate_waiting_max = gate_queue_max;  // commits; those beyond wait at their entities
  std::function<void(std::string_view)> stop_node;
  std::function<void(severity, std::string_view, std::string_view, std::string_view)> log;
  /// See node_services::trace. Empty: no steps.
  std::function<void(const cause&, std::string_view, const entity_id&, std::string_view)> trace;
};

class node {
 public:
  /// Joins the store (which must be migrated), opens its connections, starts gate and region.
  /// Errors are the store's. `make_factory` gets the grant, because entities need the node's slot
  /// and incarnation.
  static storage::result<std::unique_ptr<node>> start(
      storage::store& store, const node_options& options,
      const std::function<entity_factory(const storage::node_grant&)>& make_factory);
  ~node();
  node(const node&) = delete;

  caf::actor_system& system();
  read_pool& reads();
  [[nodiscard]] const std::shared_ptr<node_services>& services() const;
  /// Registers the gateway of edge `number` (1 … edges_max-1). Before the first request.
  void attach_edge(std::uint32_t number, caf::actor gateway);
  /// Whether players may be sent here: neither stopping nor draining, and the store answered within
  /// the last seconds. Any thread, at once.
  [[nodiscard]] bool is_serving() const;
  /// In a cluster: hands its shards to others first (15 s at most). Then takes no more requests,
  /// waits until the gate is empty or `limit` has passed, and closes the fence. True: nothing was
  /// in flight.
  bool stop(std::chrono::milliseconds limit);

 private:
  struct parts;
  explicit node(std::unique_ptr<parts> built);
  std::unique_ptr<parts> parts_;
};

/// Ends this process because the store has forgotten what it acknowledged to it; says so in the
/// store first, so that no successor, which remembers nothing, takes it for the truth (rule A8).
void stop_for_lost_store(node_services& node, const std::string& why);

/// Prepares an empty store, accepts one that this binary can use; otherwise says what to run (rule
/// A9).
storage::status prepare(storage::store& store);

}  // namespace baraza::cluster
