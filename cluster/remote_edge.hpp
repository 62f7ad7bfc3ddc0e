// An edge on another node, as the entities here see it: a gateway like any other, whose messages go
// out over the link.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <memory>

#include "cluster/services.hpp"

namespace baraza::cluster {

/// @param number what stands for that edge in reply_to::edge here
/// Once a second it tells the edge the newest seq of each table it pushed to it since (rule E1).
caf::actor start_remote_edge(caf::actor_system& system, const std::shared_ptr<node_services>& node,
                             std::uint64_t incarnation, std::uint32_t number);

}  // namespace baraza::cluster
