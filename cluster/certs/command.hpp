// `baraza cluster certs init|issue|rotate`.
#pragma once

namespace CLI {
class App;
}

namespace baraza::cluster::certs {

/// Adds `certs` to the command `cluster`. A chosen one runs inside app.parse() and leaves its exit
/// code: 0 done, 1 failed.
void add_commands(CLI::App& cluster, int& exit_code);

}  // namespace baraza::cluster::certs
