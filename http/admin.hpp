// The operators' port: /livez, /readyz, /metrics. Its own address, so that it need never face the
// players.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/operators.hpp"
#include "cluster/read_pool.hpp"
#include "http/bridge.hpp"
#include "http/router.hpp"

namespace baraza::http {

/// @param is_ready whether new players may be sent here
/// @param metrics Prometheus text, complete
std::vector<route> admin_routes(std::function<bool()> is_ready,
                                std::function<std::string()> metrics);

/// POST /admin/v1/players/{id}/logout|disable|enable: see auth_service::order. Connections end
/// within a second, on every edge. A player without logins is no error: {"ended":0}. Who orders is
/// recorded as for add_cluster.
void add_player_orders(std::vector<route>& to, auth_service& accounts);

/// GET /admin/v1/incidents?limit=&before=, POST /admin/v1/entities/{kind}/{id}/retry|void?by=NAME:
/// what stopped, and what is to become of it; each decision is an incident itself. 202 once it has
/// begun, 409 if nothing is quarantined there. Both outlive the routes.
void add_incidents(std::vector<route>& routes, bridge& to, cluster::read_pool& reads);

/// The cluster behind the operators' routes; called on the edge's threads.
struct cluster_door {
  std::function<void(cluster::report_answer)> report;
  std::function<void(cluster::operator_wish, cluster::operator_answer)> operate;
};

/// GET /admin/v1/cluster, GET /admin/v1/shards, POST /admin/v1/nodes/{name}/drain|undrain|remove,
/// POST /admin/v1/shards/{id}/move?to=NAME: docs/operating-a-cluster.md. Who orders is recorded by
/// address and by the name in X-Operator or ?by=.
void add_cluster(std::vector<route>& routes, const cluster_door& to);

/// 1 to 64 letters, digits or one of -_.@
bool is_operator_name(std::string_view by);
/// "amina from 10.0.0.7", by the name in X-Operator or ?by=; "somebody from …" without one.
/// Nothing, with the answer given, if the name is none.
std::optional<std::string> who_asks(const exchange& x);

/// Stands before the operators' routes: everything but the probes /livez and /readyz asks for the
/// bearer token, addresses that do not exist too. Without a token everything is open.
class operator_door final : public service {
 public:
  operator_door(std::vector<route> routes, std::string token);
  [[nodiscard]] std::size_t body_bytes_max(std::string_view method,
                                           std::string_view path) const override {
    return routes_.body_bytes_max(method, path);
  }
  void serve(request what, respond done) override;

 private:
  router routes_;
  const std::string token_;
};

/// Reads the operators' token; an empty path leaves `token` empty.
/// @returns nothing on success, else what is wrong in one line: the file must be readable, not by
/// everybody, and hold 16 to 4096 visible ASCII characters (white space around them is dropped)
std::string read_admin_token(const std::string& path, std::string& token);

}  // namespace baraza::http
