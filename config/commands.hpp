// The command line's side of settings: flags for commands that need them, and the `config` command.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/load.hpp"

namespace CLI {
class App;
}

namespace baraza::config {

/// What the flags of one command held. Must outlive the parsing of the App they were added to.
struct settings_flags {
  std::optional<std::string> file;
  std::vector<flag_value> values;
};
/// Adds --config, --set and the short flags (--data, --store, --http, --admin,
/// --house-bot, --log-level) to `command`.
void add_settings_flags(CLI::App& command, settings_flags& into);

/// Loads what the flags, the environment and the file say. On an error prints its one line to
/// standard error and returns nothing: the command then ends with exit_usage.
std::optional<loaded> load_or_complain(const settings_flags& flags);

/// `config check FILE`, `config print`, `config reference`.
void add_config_commands(CLI::App& app, int& exit_code);

}  // namespace baraza::config
