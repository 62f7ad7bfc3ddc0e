// The edge: listeners, sessions, accounts, routes and the admin port behind one door. `main` fills
// in the options.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/operators.hpp"
#include "http/auth_service.hpp"
#include "http/bridge.hpp"
#include "http/token_bucket.hpp"
#include "storage/store.hpp"

namespace baraza::cluster {
class read_pool;
}

namespace baraza::http {

struct edge_options {
  bool players = true;  // false: only the operators' port is opened
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  std::string admin_address = "127.0.0.1";
  std::uint16_t admin_port = 8081;  // 0: any free one
  bool admin = true;
  std::string admin_token;  // bearer token of all but /livez and /readyz; empty: none asked
  std::size_t threads = 2;
  std::string certificate_file,
      key_file;                    // PEM; both or neither. With them the port speaks TLS 1.3 only
  std::vector<std::string> hosts;  // allowed Host values without port; empty: any
  std::vector<std::string>
      origins;  // allowed Origin values ("https://play.example"); empty: the same host as Host
  std::vector<std::string> trusted_proxies;  // ranges whose X-Forwarded-For is believed
  bool exempt_loopback =
      true;  // no limits per address for the machine itself (load tests, local proxies that limit)
  std::size_t sockets_max = limits::sockets_max;
  std::uint32_t sockets_per_address_max = limits::sockets_per_address_max;
  rate accept_rate{100, 400};   // connections per network (IPv4 /24, IPv6 /64)
  rate http_rate{50, 200};      // requests per address
  rate guest_rate{1, 30};       // new guests per address
  rate session_rate{200, 400};  // messages per WebSocket session
  rate account_rate{400, 800};  // messages per account over all its sessions
  rate join_rate{limits::joins_per_s_max, 2 * limits::joins_per_s_max};     // per account
  rate stake_rate{limits::stakes_per_s_max, 2 * limits::stakes_per_s_max};  // per account
  rate address_rate{5'000, 20'000};                                         // messages per address
  rate ping_rate{2, 20};                                  // WebSocket control frames per session
  std::size_t frame_bytes_max = limits::frame_bytes_max;  // of a client's WebSocket message
  std::size_t session_inflight_max = limits::session_inflight_max;
  std::size_t session_outbox_frames_max = limits::session_outbox_frames_max;
  std::chrono::milliseconds tls_time = limits::tls_time;
  std::chrono::milliseconds upgrade_time = limits::upgrade_time;
  std::chrono::milliseconds header_time = limits::header_time;
  std::chrono::milliseconds body_time = limits::body_time;
  std::chrono::milliseconds keep_alive_time = limits::keep_alive_time;
  std::chrono::milliseconds write_time = limits::write_time;
  std::chrono::milliseconds hello_time = limits::hello_time;
  std::chrono::milliseconds close_time = limits::close_time;
  std::chrono::milliseconds ping_after = limits::ping_after;
  std::chrono::milliseconds idle_time = limits::idle_time;
  std::chrono::milliseconds ask_deadline = std::chrono::seconds{5};  // of wallet questions
  auth_options auth;
};

/// What the edge needs of the rest of the process. Empty ones have the default named.
struct edge_callbacks {
  std::function<millis()> now;                       // cluster time; default: the system clock
  std::function<bool()> is_ready;                    // default: true
  std::function<void(std::string&)> append_metrics;  // Prometheus text
  std::function<std::string()> games;  // JSON for GET /v1/games; default: {"games":[]}
  /// The record or the proof of a match as JSON, from its journal; nothing: there is none (yet).
  using match_document = std::function<std::optional<std::string>(
      const uuid& match, const std::vector<storage::journal_event>&)>;
  match_document match_record, match_proof;  // default: 404
  auth_service::log log;                     // default: dropped
  auth_service::record record;               // default: operators decide nothing about players
  /// See cluster_door in admin.hpp. Default: those routes do not exist.
  std::function<void(cluster::report_answer)> report;
  std::function<void(cluster::operator_wish, cluster::operator_answer)> operate;
};

class edge {
 public:
  edge(edge_options options, bridge& to, storage::identity_store& identities,
       cluster::read_pool& reads, edge_callbacks callbacks);
  ~edge();
  /// Binds the ports and starts the threads. @returns what is wrong, in one line; nothing if all is
  /// well
  std::optional<std::string> start();
  /// No new connections; sessions get going_away with `retry_ms` and are closed with 1001 within
  /// about two seconds.
  void stop(std::uint32_t retry_ms);
  /// Reads the certificate and key files again; see tls_certificate. Any thread.
  /// @returns what is wrong, in one line, and the earlier certificate stays
  std::optional<std::string> reload_certificate();
  [[nodiscard]] bool speaks_tls() const;
  [[nodiscard]] std::uint16_t port() const;  // 0 without players
  [[nodiscard]] std::uint16_t admin_port() const;
  /// The edge's own metrics, as /metrics shows them.
  void append_metrics(std::string& out) const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace baraza::http
