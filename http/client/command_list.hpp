// Each client command registers itself from its own file.
#pragma once

namespace CLI {
class App;
}

namespace baraza::client {

void add_play_command(CLI::App& app, int& exit_code);
void add_load_command(CLI::App& app, int& exit_code);
void add_incident_command(CLI::App& app, int& exit_code);
void add_node_command(CLI::App& app, int& exit_code);
void add_shard_command(CLI::App& app, int& exit_code);
void add_player_command(CLI::App& app, int& exit_code);
/// `status`, beside the commands of cluster/local.
void add_status_command(CLI::App& cluster, int& exit_code);

}  // namespace baraza::client
