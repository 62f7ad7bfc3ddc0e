// A cluster's status as lines between keeper and client, as a table for people, as JSON for
// scripts.
#pragma once

#include <string>

#include "cluster/local/local_cluster.hpp"

namespace baraza::cluster::local {

std::string to_lines(const cluster_status& status);
/// Unknown lines are passed over, so that an older client reads a newer keeper.
cluster_status from_lines(const std::string& lines);
/// For a terminal; ends with a line break.
std::string to_table(const cluster_status& status);
/// One object on one line.
std::string to_json(const cluster_status& status);

}  // namespace baraza::cluster::local
