// `baraza cluster up|add|kill|pause|resume|drain|restart|partition|heal|store|logs|down`. Status is
// http/client/status_command.cpp: it is the same for clusters that are not local.
#pragma once

namespace CLI {
class App;
}

namespace baraza::cluster::local {

/// Adds them to the command `cluster`. A chosen one runs inside app.parse() and leaves its exit
/// code: 0 done, 1 failed, 2 wrong usage.
void add_commands(CLI::App& cluster, int& exit_code);

}  // namespace baraza::cluster::local
