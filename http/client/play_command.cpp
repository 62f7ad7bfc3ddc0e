#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <memory>

#include "http/client/command_list.hpp"
#include "http/client/limits.hpp"
#include "http/client/play.hpp"

namespace baraza::client {
namespace {

struct play_arguments {
  play_options options;
  double stake = 1;
  int best_of = 3;
};

int run(play_arguments& arguments) {
  auto& options = arguments.options;
  const auto server = parse_url(options.url);
  if (!server) {
    std::fprintf(stderr, "play: --url must be ws://HOST[:PORT][/PATH] or wss://…; got %s\n",
                 options.url.c_str());
    return 2;
  }
  options.server = *server;
  options.stake = static_cast<std::int64_t>(std::llround(arguments.stake * 100));
  options.best_of = static_cast<std::uint8_t>(arguments.best_of);
  return play(options);
}

}  // namespace

void add_play_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<play_arguments>();
  auto& options = arguments->options;
  options.url = default_url;
  auto* play_app = app.add_subcommand("play", "play a game at this terminal");
  play_app->require_subcommand(1);
  auto* draw = play_app->add_subcommand(
      "draw", "the card draw duel: each draws a card, the higher one wins the round");
  draw->add_option("--url", options.url, "where the server is")->capture_default_str();
  auto* as = draw->add_option("--as", options.as,
                              "the remembered player to play as (default: the first one free)");
  as->check([](const std::string& name) {
    return name.empty() || name.size() > 32 ? std::string{"1 to 32 bytes"} : std::string{};
  });
  draw->add_option("--name", options.display,
                   "the name that opponents see, for a new player (default: $USER)");
  draw->add_flag("--guest", options.guest, "play as a new player who is not remembered")
      ->excludes(as);
  draw->add_option("--stake", arguments->stake, "DEMO that each player puts in")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  draw->add_option("--best-of", arguments->best_of, "rounds of a match")
      ->check(CLI::IsMember({1, 3, 5, 7}))
      ->capture_default_str();
  draw->add_option("--seed", options.seed,
                   "your part of the randomness, 1 to 64 bytes (default: random for every match)")
      ->check([](const std::string& seed) {
        return seed.empty() || seed.size() > seed_bytes_max ? std::string{"1 to 64 bytes"}
                                                            : std::string{};
      });
  draw->add_option("--rounds", options.rounds, "matches to play")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  draw->add_flag("--auto", options.automatic, "draw without asking");
  draw->add_option("--patience", options.patience,
                   "give up after so many seconds in which nothing happened; 0: never (default: 0 "
                   "at a terminal, else 120)")
      ->check(CLI::Range(0, 86'400));
  draw->add_flag("--json", options.json, "the last line of standard output is one JSON object");
  draw->footer("Example: baraza play draw --stake 5 --best-of 5");
  play_app->footer("Example: baraza play draw");
  draw->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace baraza::client
