// The region: the only way to reach an entity. It activates on demand, buffers while one loads,
// supervises, and keeps the wake-ups.
#pragma once

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <memory>

#include "cluster/services.hpp"

namespace baraza::cluster {

/// Supervisor of all entities of the node:
///
/// | child | restart | state comes back from |
/// |---|---|---|
/// | entity host | transient: after a crash, in its budget; then back-off, quarantine | snapshot, journal |
/// | job of the read pool | never: the question is asked again | – |
///
/// An entity that cannot be folded is voided without running its code, if its kind can be (rule
/// D2).
caf::actor start_region(caf::actor_system& system, const std::shared_ptr<node_services>& node);

}  // namespace baraza::cluster
