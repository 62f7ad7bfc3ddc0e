// Each client command registers itself from its own file.
#pragma once

namespace CLI {
class App;
}

namespace baraza::client {

void add_play_command(CLI::App& app, int& exit_code);
void add_load_command(CLI::App& app, int& exit_code);
void add_incident_command(CLI::App& app, int& exit_code);

}  // namespace baraza::client
