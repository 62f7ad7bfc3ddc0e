// The commands of people who play and measure: `baraza play`, `baraza load`.
#pragma once

namespace CLI {
class App;
}

namespace baraza::client {

/// Registers the commands. A chosen one runs inside app.parse() and leaves its exit code in
/// `exit_code`: 0 done, 1 failed, 2 wrong usage.
void add_client_commands(CLI::App& app, int& exit_code);

}  // namespace baraza::client
