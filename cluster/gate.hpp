// The journal gate: the one door through which a node commits. Journal first, then believe, then
// tell.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <memory>

#include "cluster/services.hpp"

namespace baraza::cluster {

/// Starts the gate and its writer threads. Neither is ever restarted (rule B5): what goes wrong in
/// them ends the process through node.stop_node, because a new gate would have forgotten what the
/// old one closed.
/// @param writers one connection and one thread each; entity → writer by hash
caf::actor start_gate(caf::actor_system& system, const std::shared_ptr<node_services>& node,
                      std::vector<std::unique_ptr<storage::writer>> writers);

}  // namespace baraza::cluster
