// The operators' port: /livez, /readyz, /metrics. Its own address, so that it need never face the
// players.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/router.hpp"

namespace baraza::http {

/// @param is_ready whether new players may be sent here
/// @param metrics Prometheus text, complete
std::vector<route> admin_routes(std::function<bool()> is_ready,
                                std::function<std::string()> metrics);

}  // namespace baraza::http
