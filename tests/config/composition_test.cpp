// What settings do: each of them changes what a node or its log is started with, and none can raise
// a hard limit of the edge.
#include "composition.hpp"

#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "config/keys.hpp"
#include "config/log.hpp"
#include "config/values.hpp"
#include "http/limits.hpp"

using namespace baraza;
using namespace baraza::config;

namespace {

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list) out += one + "|";
  return out;
}

/// All that a setting can reach, as text.
std::string described(const settings& s) {
  const auto o = serve_options(s);
  const auto& e = o.edge;
  std::ostringstream out;
  const auto put = [&](const auto&... parts) { ((out << parts << ' '), ...); };
  put(o.store_url, o.allow_loss, o.key_file, o.admin_token_file, o.house_bot, o.breached_file,
      o.pepper_file);
  put(o.node.name, o.node.address, o.node.writers, o.node.readers, o.node.shards,
      o.node.scheduler_threads, o.node.passivate_after);
  put(o.node.roles, e.players);
  if (const auto& c = o.node.cluster) {
    put(c->name, c->listen_host, c->listen_port, c->advertise, c->zone, c->weight,
        c->lease.length.count());
    if (const auto& files = c->certificates) put(files->ca, files->certificate, files->key);
  }
  put(o.table.rake_bp, o.table.ready_timeout_ms, o.table.open_timeout_ms, o.table.buy_in_timeout_ms,
      o.wallet.demo_grant_minor);
  put(o.lobby.matching.window_start, o.lobby.matching.window_per_second,
      o.lobby.matching.window_max, o.lobby.grace_ms);
  put(e.address, e.port, e.admin_address, e.admin_port, e.threads, e.certificate_file, e.key_file);
  put(joined(e.hosts), joined(e.origins), joined(e.trusted_proxies), e.sockets_max,
      e.sockets_per_address_max);
  put(e.http_rate.per_second, e.session_rate.per_second, e.join_rate.per_second,
      e.stake_rate.per_second, e.frame_bytes_max, e.session_inflight_max,
      e.session_outbox_frames_max);
  put(e.tls_time.count(), e.header_time.count(), e.upgrade_time.count(), e.hello_time.count(),
      e.idle_time.count(), e.ping_after.count());
  put(e.auth.access_live.count(), e.auth.idle_live.count(), e.auth.absolute_live.count(),
      e.auth.password_threads, e.auth.password_queue_max, e.auth.password_cost.passes,
      e.auth.password_cost.memory_bytes);
  const auto log = log_options(s);
  put(static_cast<int>(log.least), log.json, log.file, log.queue_lines_max);
  return out.str();
}

/// Another value of the key, which load() would accept.
value changed(const key& k, const settings& from) {
  auto v = get(k, from);
  const auto name = k.full_name();
  if (auto* n = std::get_if<integer>(&v)) *n += *n < std::get<whole>(k.type).max ? 1 : -1;
  if (auto* b = std::get_if<bool>(&v)) *b = !*b;
  if (auto* list = std::get_if<std::vector<std::string>>(&v)) list->push_back("https://a.example");
  if (auto* text = std::get_if<std::string>(&v)) {
    *text = name == "log.level"         ? "error"
            : name == "log.format"      ? "json"
            : name.ends_with(".listen") ? "127.0.0.2:99"
                                        : "changed";
  }
  return v;
}

/// The options of a node with this setting at the largest value it may have.
http::edge_options at_most(std::string_view name) {
  settings s;
  const auto* k = find_key(name);
  REQUIRE(k != nullptr);
  assign(*k, std::get<whole>(k->type).max, s);
  return serve_options(s).edge;
}

}  // namespace

TEST_CASE("every setting changes what a node is started with") {
  settings defaults;  // and in a cluster: alone, a node asks for nothing of it
  defaults.cluster.listen = "127.0.0.1:7780";
  defaults.cluster.ca_file = "ca.pem";
  const auto before = described(defaults);
  for (const auto& k : keys()) {
    CAPTURE(k.full_name());
    if (k.full_name() == "node.data_dir") continue;  // load() makes other settings' defaults of it
    auto s = defaults;
    assign(k, changed(k, defaults), s);
    CHECK(described(s) != before);
  }
}

TEST_CASE("no setting raises a hard limit") {
  namespace limits = http::limits;
  CHECK(at_most("http.frame_bytes").frame_bytes_max <= limits::frame_bytes_max);
  CHECK(at_most("http.inflight").session_inflight_max <= limits::session_inflight_max);
  CHECK(at_most("http.outbox_frames").session_outbox_frames_max <=
        limits::session_outbox_frames_max);
  CHECK(at_most("http.sockets_per_address").sockets_per_address_max <=
        limits::sockets_per_address_max);
  CHECK(at_most("http.sessions_total").sockets_max <= limits::sockets_max);
  CHECK(at_most("http.joins_per_s").join_rate.per_second <= limits::joins_per_s_max);
  CHECK(at_most("http.joins_per_s").join_rate.burst <= 2 * limits::joins_per_s_max);
  CHECK(at_most("http.stakes_per_s").stake_rate.per_second <= limits::stakes_per_s_max);
  CHECK(at_most("http.stakes_per_s").stake_rate.burst <= 2 * limits::stakes_per_s_max);
  CHECK(at_most("http.idle_timeout_s").idle_time <= limits::idle_time);
  CHECK(at_most("http.idle_timeout_s").ping_after <= limits::ping_after);
  const auto slowest = at_most("http.handshake_timeout_s");
  CHECK(slowest.tls_time <= limits::tls_time);
  CHECK(slowest.header_time <= limits::header_time);
  CHECK(slowest.upgrade_time <= limits::upgrade_time);
  CHECK(slowest.hello_time <= limits::hello_time);
  CHECK(at_most("auth.threads").auth.password_threads <= limits::password_threads_max);
  CHECK(at_most("auth.queue").auth.password_queue_max <= limits::password_queue_max);
}

TEST_CASE("no setting makes a password hash cheaper than the floor") {
  settings s;
  for (const auto* name : {"auth.argon2_ops", "auth.argon2_memory_kib"})
    assign(*find_key(name), std::get<whole>(find_key(name)->type).min, s);
  const auto cost = serve_options(s).edge.auth.password_cost;
  CHECK(cost.passes >= http::limits::argon_passes_min);
  CHECK(cost.memory_bytes >= http::limits::argon_memory_bytes_min);
}
