// Composition root: reads settings, fills in what each folder needs, runs the command that was
// asked for.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "actors/log.hpp"
#include "cluster/certs/command.hpp"
#include "cluster/commands.hpp"
#include "cluster/local/commands.hpp"
#include "composition.hpp"
#include "config/commands.hpp"
#include "config/doctor.hpp"
#include "config/log.hpp"
#include "http/client/commands.hpp"
#include "http/serve.hpp"
#include "storage/commands.hpp"

namespace {

using namespace baraza;

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
  config::add_doctor_command(app, exit_code, ask_store);
  cluster::add_store_commands(app, exit_code);
  auto* nodes = app.add_subcommand("cluster", "work on a cluster of nodes");
  nodes->require_subcommand(1);
  cluster::certs::add_commands(*nodes, exit_code);
  cluster::local::add_commands(*nodes, exit_code);
  client::add_client_commands(app, *nodes, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
