// What comes in over the links: read on the link's own thread and handed to region, gateway or
// membership.
#pragma once

#include "cluster/link/link.hpp"
#include "cluster/services.hpp"

namespace baraza::cluster {

/// @param node must outlive the link
link_events door_of(const std::shared_ptr<node_services>& node);

}  // namespace baraza::cluster
