// The process behind `baraza cluster up`: owns the store, the proxies and the nodes of one cluster,
// and takes commands over a socket in its folder. Whatever ends it ends them.
#pragma once

#include <string>
#include <vector>

#include "cluster/local/local_cluster.hpp"

namespace baraza::cluster::local {

/// Starts the cluster, tells `report` (a descriptor, closed then) `ok`, or `usage` or `failed` and
/// why, and serves until it is told `down` or gets SIGTERM or SIGINT. If whoever reads `report` has
/// gone before all is ready, the cluster goes, too.
/// @returns the exit code of the process
int keep(cluster_options options, int report);

/// Starts a keeper in a process and session of its own and waits until its cluster is ready. Throws
/// `failure`.
/// @param command this binary and the words that make it call keep(); the number of a descriptor to
/// report to is added
void start_keeper(std::vector<std::string> command);

/// Asks the keeper of the cluster in `folder`: a verb and its arguments, none with a tab or line
/// break. Throws `failure`: what it says, or that there is none.
/// @returns its answer
std::string ask_keeper(const std::filesystem::path& folder, const std::vector<std::string>& words);

}  // namespace baraza::cluster::local
