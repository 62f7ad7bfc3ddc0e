// The bridge over CAF: one gateway actor per edge, sessions and subscriptions kept here (rule E1).
#pragma once

#include <memory>

#include "http/bridge.hpp"
#include "http/limits.hpp"

namespace caf {
class actor_system;
}
namespace baraza::cluster {
struct node_services;
}

namespace baraza::http {

struct bridge_options {
  std::uint32_t edge = 1;  // this edge's number among those the node pushes to
  std::chrono::milliseconds request_deadline{
      10'000};  // then the client is told `timeout`: unknown, repeat with the same command
  std::size_t inflight = limits::session_inflight_max;  // a session's requests not yet answered
  std::chrono::milliseconds renew_every{15'000};        // subscriptions (rule E1)
};

/// Starts the gateway actor and registers it with the region.
std::unique_ptr<bridge> make_gateway_bridge(caf::actor_system& system,
                                            std::shared_ptr<cluster::node_services> node,
                                            const bridge_options& options);

}  // namespace baraza::http
