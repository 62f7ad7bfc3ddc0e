#include "http/client/commands.hpp"

#include "http/client/command_list.hpp"

namespace baraza::client {

void add_client_commands(CLI::App& app, CLI::App& cluster, int& exit_code) {
  add_play_command(app, exit_code);
  add_load_command(app, exit_code);
  add_incident_command(app, exit_code);
  add_node_command(app, exit_code);
  add_shard_command(app, exit_code);
  add_player_command(app, exit_code);
  add_status_command(cluster, exit_code);
}

}  // namespace baraza::client
