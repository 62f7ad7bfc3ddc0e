// What the store says is due soon: after a take at once, later to repair any miss (rule B6).
#pragma once

#include <memory>

#include "cluster/services.hpp"

namespace baraza::cluster {

/// Asks the readers for every wake row due before the next scan but one, and sends them to `region`
/// as wakes_found, a page a message. Also the moment the clock is set.
void scan_wakes(const std::shared_ptr<node_services>& node, const caf::actor& region);

/// Reads the wake rows of shards that were just taken into wakes_found, then answers shards_loaded.
void read_opened(const std::shared_ptr<node_services>& node, const caf::actor& region,
                 std::vector<std::pair<shard_id, std::uint64_t>> shards);

}  // namespace baraza::cluster
