// Commands that work on a store: `ledger verify`, `migrate`, `replay`, `proof verify`, `bench
// ledger`.
#pragma once

namespace CLI {
class App;
}

namespace baraza::cluster {

/// Registers them. A chosen one runs inside app.parse() and leaves its exit code: 0 done, 1 failed
/// or not clean, 2 wrong usage.
void add_store_commands(CLI::App& app, int& exit_code);

}  // namespace baraza::cluster
