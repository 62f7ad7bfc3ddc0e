#include "http/client/commands.hpp"

#include "http/client/command_list.hpp"

namespace baraza::client {

void add_client_commands(CLI::App& app, int& exit_code) {
  add_play_command(app, exit_code);
  add_load_command(app, exit_code);
  add_incident_command(app, exit_code);
}

}  // namespace baraza::client
