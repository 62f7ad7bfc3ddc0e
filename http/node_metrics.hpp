// The runtime's counters in Prometheus' text format.
#pragma once

#include <string>

#include "cluster/services.hpp"

namespace baraza::http {

void append_node_metrics(const cluster::node_services& node, std::string& out);

}  // namespace baraza::http
