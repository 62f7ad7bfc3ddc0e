// The commands of people who play and measure, `baraza play` and `baraza load`, and of operators:
// `incident`, `node`, `shard`, `player`, `cluster status`.
#pragma once

namespace CLI {
class App;
}

namespace baraza::client {

/// Registers the commands, `status` under `cluster`. A chosen one runs inside app.parse() and
/// leaves its exit code in `exit_code`: 0 done, 1 failed, 2 wrong usage.
void add_client_commands(CLI::App& app, CLI::App& cluster, int& exit_code);

}  // namespace baraza::client
