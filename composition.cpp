#include "composition.hpp"

#include <algorithm>
#include <tuple>

namespace baraza {
namespace {

/// "127.0.0.1:7777" or "[::1]:7777", as the settings' own check has accepted it.
std::pair<std::string, std::uint16_t> split(const std::string& listen) {
  const auto colon = listen.rfind(':');
  auto host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {host, static_cast<std::uint16_t>(std::stoi(listen.substr(colon + 1)))};
}

http::rate rate_of(config::integer per_second, std::uint32_t burst_seconds) {
  const auto each = static_cast<std::uint32_t>(per_second);
  return {each, each * burst_seconds};
}

void fill_edge(const config::settings& s, http::edge_options& to) {
  std::tie(to.address, to.port) = split(s.http.listen);
  std::tie(to.admin_address, to.admin_port) = split(s.admin.listen);
  to.players = std::ranges::find(s.node.roles, "edge") != s.node.roles.end();
  to.threads = static_cast<std::size_t>(s.http.threads);
  to.certificate_file = s.http.tls_certificate_file;
  to.key_file = s.http.tls_key_file;
  to.hosts = s.http.hosts;
  to.origins = s.http.origins;
  to.trusted_proxies = s.http.trusted_proxies;
  to.sockets_max = static_cast<std::size_t>(s.http.sessions_total);
  to.sockets_per_address_max = static_cast<std::uint32_t>(s.http.sockets_per_address);
  to.idle_time = std::chrono::seconds{s.http.idle_timeout_s};
  to.ping_after = to.idle_time / 2;  // a quiet peer has the other half to answer
  to.frame_bytes_max = static_cast<std::size_t>(s.http.frame_bytes);
  to.session_inflight_max = static_cast<std::size_t>(s.http.inflight);
  to.session_outbox_frames_max = static_cast<std::size_t>(s.http.outbox_frames);
  to.tls_time = to.header_time = to.upgrade_time = to.hello_time =
      std::chrono::seconds{s.http.handshake_timeout_s};
  to.http_rate = rate_of(s.http.requests_per_s, 4);
  to.session_rate = rate_of(s.http.messages_per_s, 2);
  to.account_rate = rate_of(2 * s.http.messages_per_s, 2);  // a player may have two devices
  to.join_rate = rate_of(s.http.joins_per_s, 2);
  to.stake_rate = rate_of(s.http.stakes_per_s, 2);
  to.auth.access_live = std::chrono::seconds{s.auth.access_ttl_s};
  to.auth.idle_live = std::chrono::seconds{s.auth.refresh_idle_s};
  to.auth.absolute_live = std::chrono::hours{s.auth.absolute_h};
  to.auth.password_threads = static_cast<std::size_t>(s.auth.threads);
  to.auth.password_queue_max = static_cast<std::size_t>(s.auth.queue);
  to.auth.password_cost = {static_cast<unsigned long long>(s.auth.argon2_ops),
                           static_cast<std::size_t>(s.auth.argon2_memory_kib) * 1024};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

void fill_cluster(const config::settings& s, cluster::node_options& to) {
  to.roles = joined(s.node.roles);
  if (s.cluster.listen.empty()) return;
  auto& own = to.cluster.emplace();
  own.name = s.cluster.name;
  std::tie(own.listen_host, own.listen_port) = split(s.cluster.listen);
  own.advertise = s.cluster.advertise;
  if (!s.cluster.ca_file.empty())
    own.certificates = {s.cluster.ca_file, s.cluster.certificate_file, s.cluster.private_key_file};
  own.zone = s.node.zone;
  const bool is_game = std::ranges::find(s.node.roles, "game") != s.node.roles.end();
  own.weight = is_game ? static_cast<std::uint32_t>(s.node.weight) : 0;
  own.lease.length = std::chrono::milliseconds{s.cluster.lease_ms};
  own.lease.renew_every = own.lease.length / 5;
}

}  // namespace

http::serve_options serve_options(const config::settings& s) {
  http::serve_options o;
  fill_edge(s, o.edge);
  o.store_url = s.storage.url;
  o.allow_loss = s.storage.allow_loss;
  o.key_file = s.cluster.key_file;
  o.admin_token_file = s.admin.token_file;
  o.breached_file = s.auth.breached_passwords_file;
  o.pepper_file = s.auth.pepper_file;
  o.house_bot = s.game.house_bot;
  if (!s.node.data_dir.empty()) o.house_bot_folder = s.node.data_dir + "/house_bot";
  o.node.name = s.node.name;
  o.node.address = s.http.listen;  // in a cluster: that of its link
  o.node.writers = static_cast<std::uint16_t>(s.storage.writers);
  o.node.readers = static_cast<std::size_t>(s.storage.readers);
  o.node.shards = static_cast<std::uint32_t>(s.cluster.shards);
  o.node.scheduler_threads = static_cast<std::size_t>(s.runtime.scheduler_threads);
  o.node.passivate_after = s.game.passivate_after_s * 1000;
  fill_cluster(s, o.node);
  o.table.rake_bp = static_cast<std::uint32_t>(s.game.rake_bp);
  o.table.ready_timeout_ms = static_cast<std::uint32_t>(s.game.ready_timeout_s * 1000);
  o.table.open_timeout_ms = static_cast<std::uint32_t>(s.game.reveal_timeout_s * 1000);
  o.table.buy_in_timeout_ms = static_cast<std::uint32_t>(s.game.buy_in_timeout_s * 1000);
  o.wallet.demo_grant_minor = s.game.demo_grant_minor;
  o.lobby.matching.window_start = static_cast<std::int32_t>(s.game.lobby_window);
  o.lobby.matching.window_per_second = static_cast<std::int32_t>(s.game.lobby_widen_per_s);
  o.lobby.matching.window_max = static_cast<std::int32_t>(s.game.lobby_window_max);
  o.lobby.grace_ms = static_cast<std::uint32_t>(s.game.lobby_grace_s * 1000);
  return o;
}

config::store_answer ask_store(const std::string& url) {
  config::store_answer out;
  const auto store = storage::open(url, {.read_only = true});
  if (!store) {
    out.is_absent = store.why().code == storage::errc::not_found;
    out.error = store.why().message;
    return out;
  }
  const auto state = (*store)->migrations();
  if (!state) {
    out.error = state.why().message;
    return out;
  }
  out.schema = state->schema;
  out.oldest_level = state->oldest_level;
  out.newest = state->newest;
  const bool is_usable = out.schema >= out.newest && out.oldest_level <= out.newest;
  if (!is_usable) return out;  // a reader would only say so again
  auto reader = (*store)->open_reader();
  if (!reader) {
    out.error = reader.why().message;
  } else if (const auto time = (*reader)->now(); !time) {
    out.error = time.why().message;
  }
  return out;
}

}  // namespace baraza
