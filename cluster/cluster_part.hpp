// What makes a node a member of a cluster: its links, its membership actor, and the way in and out.
#pragma once

#include <caf/actor_system.hpp>
#include <memory>

#include "cluster/joining.hpp"
#include "cluster/node.hpp"

namespace baraza::cluster {

/// A process that the store knows as `joining`.
struct enrolment {
  joined who;
  std::string system_id;   // of the store
  std::uint16_t port = 0;  // where it will listen
  std::unique_ptr<storage::membership_store> leases, views, changes;
};
/// Blocks until the name is ours: for `limit` at most.
storage::result<std::unique_ptr<enrolment>> enrol(storage::store& store,
                                                  const node_options& options,
                                                  std::chrono::milliseconds limit);

class cluster_part {
 public:
  static storage::result<std::unique_ptr<cluster_part>> start(
      caf::actor_system& system, const std::shared_ptr<node_services>& node, enrolment who,
      const node_options& options);
  ~cluster_part();
  cluster_part(const cluster_part&) = delete;

  /// Ends `part` and joins under a new incarnation. False: not this time, and `part` is null.
  static bool join_again(std::unique_ptr<cluster_part>& part, caf::actor_system& system,
                         const std::shared_ptr<node_services>& node, storage::store& store,
                         const node_options& options);
  /// Hands every shard to others and leaves the cluster; blocks for leave_limit and a little more
  /// at most.
  void leave();
  /// Ends membership and links. After the region: nothing comes in any more.
  void stop();

 private:
  cluster_part(caf::actor_system& system, std::shared_ptr<node_services> node)
      : system_{system}, node_{std::move(node)} {}

  caf::actor_system& system_;
  std::shared_ptr<node_services> node_;
  std::unique_ptr<link> links_;
};

}  // namespace baraza::cluster
