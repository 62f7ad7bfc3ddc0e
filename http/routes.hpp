// The routes of the player port.
#pragma once

#include <vector>

#include "http/edge_shared.hpp"
#include "http/router.hpp"

namespace baraza::http {

void add_auth_routes(std::vector<route>& to, edge_shared& shared);
void add_player_routes(std::vector<route>& to, edge_shared& shared, cluster::read_pool& reads,
                       const edge_callbacks& callbacks);

}  // namespace baraza::http
