// Composition root: reads settings, fills in what each folder needs, runs the command that was
// asked for.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "actors/log.hpp"
#include "cluster/commands.hpp"
#include "config/commands.hpp"
#include "config/doctor.hpp"
#include "config/log.hpp"
#include "http/client/commands.hpp"
#include "http/serve.hpp"
#include "storage/commands.hpp"

namespace {

using namespace baraza;

/// "127.0.0.1:7777" or "[::1]:7777", as the settings' own check has accepted it.
std::pair<std::string, std::uint16_t> split(const std::string& listen) {
  const auto colon = listen.rfind(':');
  auto host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {host, static_cast<std::uint16_t>(std::stoi(listen.substr(colon + 1)))};
}

http::serve_options serve_options(const config::settings& s) {
  http::serve_options o;
  o.store_url = s.storage.url;
  o.allow_loss = s.storage.allow_loss;
  o.key_file = s.cluster.key_file;
  o.house_bot = s.game.house_bot;
  o.node.name = s.node.name;
  o.node.address = s.http.listen;
  o.node.writers = static_cast<std::uint16_t>(s.storage.writers);
  o.node.readers = static_cast<std::size_t>(s.storage.readers);
  o.node.shards = static_cast<std::uint32_t>(s.cluster.shards);
  o.node.scheduler_threads = static_cast<std::size_t>(s.runtime.scheduler_threads);
  o.node.passivate_after = s.game.passivate_after_s * 1000;
  o.table.rake_bp = static_cast<std::uint32_t>(s.game.rake_bp);
  o.table.ready_timeout_ms = static_cast<std::uint32_t>(s.game.ready_timeout_s * 1000);
  o.table.open_timeout_ms = static_cast<std::uint32_t>(s.game.reveal_timeout_s * 1000);
  o.table.buy_in_timeout_ms = static_cast<std::uint32_t>(s.game.buy_in_timeout_s * 1000);
  o.wallet.demo_grant_minor = s.game.demo_grant_minor;
  o.lobby.matching.window_start = static_cast<std::int32_t>(s.game.lobby_window);
  o.lobby.matching.window_per_second = static_cast<std::int32_t>(s.game.lobby_widen_per_s);
  o.lobby.matching.window_max = static_cast<std::int32_t>(s.game.lobby_window_max);
  o.lobby.grace_ms = static_cast<std::uint32_t>(s.game.lobby_grace_s * 1000);
  std::tie(o.edge.address, o.edge.port) = split(s.http.listen);
  std::tie(o.edge.admin_address, o.edge.admin_port) = split(s.admin.listen);
  o.edge.threads = static_cast<std::size_t>(s.http.threads);
  o.edge.certificate_file = s.http.tls_certificate_file;
  o.edge.key_file = s.http.tls_key_file;
  o.edge.hosts = s.http.hosts;
  o.edge.origins = s.http.origins;
  o.edge.sockets_max = static_cast<std::size_t>(s.http.sessions_total);
  o.edge.sockets_per_address_max = static_cast<std::uint32_t>(s.http.sockets_per_address);
  o.edge.idle_time = std::chrono::seconds{s.http.idle_timeout_s};
  o.edge.auth.access_live = std::chrono::seconds{s.auth.access_ttl_s};
  o.edge.auth.idle_live = std::chrono::seconds{s.auth.refresh_idle_s};
  o.edge.auth.absolute_live = std::chrono::hours{s.auth.absolute_h};
  o.edge.auth.password_threads = static_cast<std::size_t>(s.auth.threads);
  o.edge.auth.password_queue_max = static_cast<std::size_t>(s.auth.queue);
  return o;
}

void add_serve(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("serve", "run a node: tables, wallets, lobbies and the players' door");
  command->footer("Example: baraza serve --data ./data --http 127.0.0.1:7777 --house-bot");
  auto flags = std::make_shared<config::settings_flags>();
  config::add_settings_flags(*command, *flags);
  command->callback([flags, &exit_code] {
    const auto loaded = config::load_or_complain(*flags);
    if (!loaded) return void(exit_code = config::exit_usage);
    if (const auto why = log::start(config::log_options(loaded->values)); !why.empty()) {
      std::fprintf(stderr, "baraza serve: %s\n", why.c_str());
      return void(exit_code = 1);
    }
    exit_code = http::serve(serve_options(loaded->values));
    log::stop();
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Baraza: games for money that survive the loss of their server"};
  app.require_subcommand(1);
  app.set_version_flag("--version", BARAZA_VERSION);
  int exit_code = 0;
  add_serve(app, exit_code);
  config::add_config_commands(app, exit_code);
  config::add_doctor_command(app, exit_code, {});
  cluster::add_store_commands(app, exit_code);
  client::add_client_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
