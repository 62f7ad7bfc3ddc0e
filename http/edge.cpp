#include "http/edge.hpp"

#include "http/admin.hpp"
#include "http/debug_routes.hpp"
#include "http/listener.hpp"
#include "http/metric_text.hpp"
#include "http/routes.hpp"
#include "http/tls.hpp"

namespace baraza::http {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(refusal_reason::count)>
    reason_names{"gate",           "parse",         "body_too_large",
                 "address_rate",   "sockets_total", "sockets_address",
                 "header_timeout", "write_timeout", "origin",
                 "unauthorized",   "bad_message",   "session_rate",
                 "account_rate",   "join_rate",     "stake_rate",
                 "inflight",       "replayed_id",   "slow_reader",
                 "idle",           "hello_timeout", "tls"};
constexpr std::chrono::milliseconds going_away_time{500};
constexpr std::chrono::milliseconds farewell_time{
    2000};  // for closing handshakes; then sockets are cut

}  // namespace

struct edge::parts {
  parts(edge_options o, bridge& to, storage::identity_store& identities, cluster::read_pool& reads,
        edge_callbacks c)
      : callbacks{std::move(c)}, shared{std::move(o)} {
    if (!callbacks.now) {
      callbacks.now = [] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
      };
    }
    if (!callbacks.is_ready) callbacks.is_ready = [] { return true; };
    if (!callbacks.log) callbacks.log = [](std::string_view, const std::string&) {};
    accounts = std::make_unique<auth_service>(
        shared.options.auth, identities,
        [&to](const uuid& player, const uuid* login) { to.end_sessions(player, login); },
        callbacks.now, callbacks.log, callbacks.record);
    to.hear_ended(
        [this](const uuid& player, const uuid* login) { accounts->forget_logins(player, login); });
    shared.to = &to;
    shared.accounts = accounts.get();
    std::vector<route> routes;
    add_auth_routes(routes, shared);
    add_player_routes(routes, shared, reads, callbacks);
    player_routes = std::make_unique<router>(std::move(routes), accounts.get());
    auto operations = admin_routes([this] { return !shared.stopping && callbacks.is_ready(); },
                                   [this] {
                                     std::string out;
                                     append_metrics(out);
                                     if (callbacks.append_metrics) callbacks.append_metrics(out);
                                     return out;
                                   });
    add_player_orders(operations, *accounts);
    add_incidents(operations, to, reads);
    if (callbacks.report && callbacks.operate)
      add_cluster(operations, {callbacks.report, callbacks.operate});
#ifdef BARAZA_TEST_COMMANDS
    add_debug_routes(operations, to);
#endif
    operator_routes =
        std::make_unique<operator_door>(std::move(operations), shared.options.admin_token);
  }

  ~parts() { shared.to->hear_ended({}); }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  std::optional<std::string> start();
  void stop(std::uint32_t retry_ms);
  void append_metrics(std::string& out) const;
  [[nodiscard]] bool speaks_tls() const { return !shared.options.certificate_file.empty(); }
  std::string reload_certificate() {
    return certificate.load(shared.options.certificate_file, shared.options.key_file);
  }
  void wait_for_sessions(std::chrono::milliseconds most) const {
    const auto until = std::chrono::steady_clock::now() + most;
    while (sum(&io_counters::sessions_open) > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
  }
  [[nodiscard]] std::uint64_t sum(counter io_counters::*which) const {
    std::uint64_t all = 0;
    for (const auto& one : threads) all += (one->counters().*which).get();
    return all;
  }

  edge_callbacks callbacks;
  edge_shared shared;
  std::unique_ptr<auth_service> accounts;
  std::unique_ptr<router> player_routes;
  std::unique_ptr<operator_door> operator_routes;
  tls_certificate certificate;
  std::vector<std::unique_ptr<io_thread>> threads;
  std::unique_ptr<listener> players, operators;
  bool running = false;
};

std::optional<std::string> edge::parts::start() {
  for (const auto& text : shared.options.trusted_proxies) {
    const auto range = address_range::parse(text);
    if (!range) return "trusted_proxies: " + text + " is no address range";
    shared.trusted.push_back(*range);
  }
  if (shared.options.certificate_file.empty() != shared.options.key_file.empty())
    return "TLS needs both a certificate and a key file";
  if (!shared.options.certificate_file.empty()) {
    if (auto why = reload_certificate(); !why.empty()) return why;
  }
  std::vector<io_thread*> all;
  for (std::size_t i = 0; i < std::max<std::size_t>(shared.options.threads, 1); ++i) {
    threads.push_back(std::make_unique<io_thread>());
    all.push_back(threads.back().get());
  }
  if (shared.options.players) {
    players = std::make_unique<listener>(shared, all, *player_routes,
                                         speaks_tls() ? &certificate : nullptr, true);
    if (auto why = players->bind(shared.options.address, shared.options.port); !why.empty())
      return why;
  }
  if (shared.options.admin) {
    operators = std::make_unique<listener>(shared, all, *operator_routes, nullptr, false);
    if (auto why = operators->bind(shared.options.admin_address, shared.options.admin_port);
        !why.empty())
      return why;
  }
  for (auto* one : all) one->start();
  if (players) players->accept();
  if (operators) operators->accept();
  running = true;
  return std::nullopt;
}

void edge::parts::stop(std::uint32_t retry_ms) {
  if (!running) return;
  running = false;
  shared.stopping = true;
  if (players) players->stop();
  shared.to->go_away(retry_ms);
  // The bridge's frames have this long to reach the sockets' outboxes; closing then waits for what
  // is queued, within a bound.
  wait_for_sessions(going_away_time);
  for (auto& one : threads) one->post([thread = one.get()] { thread->say_farewell(); });
  wait_for_sessions(farewell_time);
  if (operators) operators->stop();
  accounts->stop();
  for (auto& one : threads) one->stop();
  // Sessions end here, on this thread, while bridge and store still stand.
  if (players) players->release();
  if (operators) operators->release();
  threads.clear();
}

void edge::parts::append_metrics(std::string& out) const {
  put_metric(out, "baraza_edge_sockets", "gauge", "Open sockets, HTTP and WebSocket.",
             shared.sockets.load());
  put_metric(out, "baraza_edge_sessions", "gauge", "Open WebSocket sessions.",
             sum(&io_counters::sessions_open));
  put_metric(out, "baraza_edge_sessions_total", "counter", "WebSocket sessions ever opened.",
             sum(&io_counters::sessions_total));
  put_metric(out, "baraza_edge_sockets_accepted_total", "counter", "Sockets accepted.",
             sum(&io_counters::sockets_accepted));
  put_metric(out, "baraza_edge_http_requests_total", "counter",
             "HTTP requests that passed the gate.", sum(&io_counters::http_requests));
  put_metric(out, "baraza_edge_http_errors_total", "counter",
             "HTTP answers with status 400 or more.", sum(&io_counters::http_errors));
  put_metric(out, "baraza_edge_frames_in_total", "counter", "WebSocket messages received.",
             sum(&io_counters::frames_in));
  put_metric(out, "baraza_edge_frames_out_total", "counter", "WebSocket messages sent.",
             sum(&io_counters::frames_out));
  put_metric(out, "baraza_edge_bytes_in_total", "counter", "Bytes of messages received.",
             sum(&io_counters::bytes_in));
  put_metric(out, "baraza_edge_bytes_out_total", "counter", "Bytes of messages sent.",
             sum(&io_counters::bytes_out));
  put_metric(out, "baraza_edge_inbox_wakeups_total", "counter",
             "Wake-ups of socket threads for frames.", sum(&io_counters::inbox_wakeups));
  if (speaks_tls())
    put_metric(out, "baraza_edge_certificate_expires_seconds", "gauge",
               "End of the TLS certificate's validity, in seconds since 1970.",
               static_cast<std::uint64_t>(certificate.expires_at()));
  out +=
      "# HELP baraza_edge_refused_total Requests, messages and sockets refused, by reason.\n# TYPE "
      "baraza_edge_refused_total counter\n";
  for (std::size_t i = 0; i < reason_names.size(); ++i) {
    std::uint64_t all = 0;
    for (const auto& one : threads) all += one->counters().refused[i].get();
    out.append("baraza_edge_refused_total{reason=\"")
        .append(reason_names[i])
        .append("\"} ")
        .append(std::to_string(all))
        .append("\n");
  }
  out +=
      "# HELP baraza_edge_request_seconds From a request frame to its answer handed to the "
      "socket.\n"
      "# TYPE baraza_edge_request_seconds histogram\n";
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= latency_bounds_us.size(); ++i) {
    for (const auto& one : threads) below += one->counters().latency[i].get();
    const auto bound = i < latency_bounds_us.size() ? std::to_string(latency_bounds_us[i] / 1e6)
                                                    : std::string{"+Inf"};
    out.append("baraza_edge_request_seconds_bucket{le=\"")
        .append(bound)
        .append("\"} ")
        .append(std::to_string(below))
        .append("\n");
  }
  out += "baraza_edge_request_seconds_sum " +
         std::to_string(static_cast<double>(sum(&io_counters::latency_sum_us)) / 1e6) + "\n";
  out += "baraza_edge_request_seconds_count " + std::to_string(sum(&io_counters::latency_count)) +
         "\n";
}

edge::edge(edge_options options, bridge& to, storage::identity_store& identities,
           cluster::read_pool& reads, edge_callbacks callbacks)
    : parts_{std::make_unique<parts>(std::move(options), to, identities, reads,
                                     std::move(callbacks))} {}
edge::~edge() { stop(0); }
std::optional<std::string> edge::start() { return parts_->start(); }
void edge::stop(std::uint32_t retry_ms) { parts_->stop(retry_ms); }
std::optional<std::string> edge::reload_certificate() {
  if (!parts_->speaks_tls()) return std::nullopt;
  auto why = parts_->reload_certificate();
  return why.empty() ? std::nullopt : std::optional{std::move(why)};
}
bool edge::speaks_tls() const { return parts_->speaks_tls(); }
std::uint16_t edge::port() const {
  return parts_->players ? parts_->players->port() : std::uint16_t{0};
}
std::uint16_t edge::admin_port() const {
  return parts_->operators ? parts_->operators->port() : std::uint16_t{0};
}
void edge::append_metrics(std::string& out) const { parts_->append_metrics(out); }

}  // namespace baraza::http
