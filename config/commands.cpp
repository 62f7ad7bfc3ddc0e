#include "config/commands.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <memory>

#include "config/print.hpp"

namespace baraza::config {
namespace {

void say(std::FILE* to, const std::string& text) { std::fputs(text.c_str(), to); }

/// One flag that sets one key. CLI11 calls back in the order of the command line, so a later flag
/// wins.
void map_flag(CLI::App& command, settings_flags& into, const std::string& flag,
              const std::string& key, const std::string& meaning, const std::string& type) {
  command
      .add_option_function<std::string>(
          flag,
          [&into, flag, key](const std::string& v) {
            into.values.push_back({key, v, flag});
          },
          meaning)
      ->type_name(type)
      ->take_last();
}

int check(const std::string& file) {
  // The file alone: what this machine's environment says must not decide whether a file is right.
  const auto result = load({file, {}, {}});
  if (const auto* error = std::get_if<load_error>(&result)) {
    say(stderr, error->line + "\n");
    return exit_usage;
  }
  say(stdout, file + ": ok\n");
  return 0;
}

}  // namespace

void add_settings_flags(CLI::App& command, settings_flags& into) {
  command
      .add_option_function<std::string>(
          "--config", [&into](const std::string& v) { into.file = v; },
          "TOML file with settings (else the one named by BARAZA_CONFIG)")
      ->type_name("FILE");
  map_flag(command, into, "--data", "node.data_dir", "folder for everything this node keeps",
           "DIR");
  map_flag(command, into, "--store", "storage.url", "sqlite:PATH or postgresql://…", "URL");
  map_flag(command, into, "--http", "http.listen", "where players connect", "ADDR:PORT");
  map_flag(command, into, "--admin", "admin.listen", "where operators connect", "ADDR:PORT");
  map_flag(command, into, "--log-level", "log.level", "trace, debug, info, warn, error or off",
           "LEVEL");
  command.add_flag_callback(
      "--house-bot",
      [&into] {
        into.values.push_back({"game.house_bot", "true", "--house-bot"});
      },
      "run a bot that plays whoever waits alone");
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&into](const std::vector<std::string>& pairs) {
            for (const auto& pair : pairs) {
              const auto equals = pair.find('=');
              // Without a value it is judged as an empty one: every mistake ends in the same one
              // line.
              const auto text = equals == std::string::npos ? "" : pair.substr(equals + 1);
              into.values.push_back({pair.substr(0, equals), text, "--set"});
            }
          },
          "any setting; may be repeated")
      ->type_name("SECTION.KEY=VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
}

std::optional<loaded> load_or_complain(const settings_flags& flags) {
  auto result = load(process_sources(flags.file, flags.values));
  if (const auto* error = std::get_if<load_error>(&result)) {
    say(stderr, error->line + "\n");
    return std::nullopt;
  }
  return std::get<loaded>(std::move(result));
}

void add_config_commands(CLI::App& app, int& exit_code) {
  auto* config = app.add_subcommand("config", "Check and show settings");
  config->require_subcommand(1);
  config->footer("Example: baraza config print --config baraza.toml");

  auto file = std::make_shared<std::string>();
  auto* checking = config->add_subcommand("check", "Check a settings file: exit 0 if it is right");
  checking->add_option("FILE", *file, "TOML file")->required();
  checking->footer("Example: baraza config check baraza.toml");
  checking->callback([file, &exit_code] { exit_code = check(*file); });

  auto flags = std::make_shared<settings_flags>();
  auto json = std::make_shared<bool>(false);
  auto* printing = config->add_subcommand(
      "print", "Show the effective settings and where each came from; passwords are masked");
  add_settings_flags(*printing, *flags);
  printing->add_flag("--json", *json, "one object on one line");
  printing->footer("Example: BARAZA_HTTP_THREADS=2 baraza config print --json");
  printing->callback([flags, json, &exit_code] {
    const auto all = load_or_complain(*flags);
    if (!all) {
      exit_code = exit_usage;
      return;
    }
    say(stdout, *json ? effective_json(*all) + "\n" : effective_text(*all));
    exit_code = 0;
  });

  auto markdown = std::make_shared<bool>(false);
  auto* reference = config->add_subcommand(
      "reference", "Write every setting with its meaning, bounds and default as a TOML file");
  reference->add_flag("--markdown", *markdown, "as a page of the manual instead");
  reference->footer("Example: baraza config reference > baraza.toml");
  reference->callback([markdown, &exit_code] {
    say(stdout, *markdown ? reference_markdown() : reference_toml());
    exit_code = 0;
  });
}

}  // namespace baraza::config
