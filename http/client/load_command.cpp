#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <memory>

#include "http/client/command_list.hpp"
#include "http/client/load.hpp"

namespace baraza::client {
namespace {

volatile int interrupted = 0;
void on_interrupt(int) { interrupted = 1; }

struct load_arguments {
  load_options options;
  std::vector<std::string> urls{std::string{default_url}};
  std::string game = "draw";
  double stake = 1;
  int best_of = 3;
};

/// Codes come from the server: only what cannot break a JSON string is passed on.
std::string clean(const std::string& code) {
  std::string out;
  for (const char c : code) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
        c == '.' || c == '-')
      out += c;
  }
  return out;
}

void print_json(const load_options& options, const load_report& report) {
  std::string errors;
  for (const auto& [code, count] : report.errors)
    errors += (errors.empty() ? "\"" : ",\"") + clean(code) + "\":" + std::to_string(count);
  std::printf(
      "{\"tables\":%u,\"seconds\":%.3f,\"actions\":%llu,\"actions_per_s\":%.1f,\"latency_ms\":{"
      "\"p50\":%.3f,\"p90\":%.3f,"
      "\"p99\":%.3f,\"max\":%.3f},\"errors\":{%s},\"reconnects\":%llu,\"matches\":%llu,"
      "\"acknowledged\":%llu,"
      "\"verified\":%llu,\"lost\":%llu,\"idle\":%u}\n",
      options.tables, report.seconds, static_cast<unsigned long long>(report.actions),
      report.seconds > 0 ? static_cast<double>(report.actions) / report.seconds : 0, report.p50,
      report.p90, report.p99, report.max, errors.c_str(),
      static_cast<unsigned long long>(report.reconnects),
      static_cast<unsigned long long>(report.matches),
      static_cast<unsigned long long>(report.acknowledged),
      static_cast<unsigned long long>(report.verified),
      static_cast<unsigned long long>(report.lost), report.idle);
}

void print_text(const load_options& options, const load_report& report) {
  std::printf("tables      %u\n", options.tables);
  if (report.idle > 0) std::printf("idle        %u sessions\n", report.idle);
  std::printf("time        %.1f s\n", report.seconds);
  std::printf("actions     %llu (%.0f/s)\n", static_cast<unsigned long long>(report.actions),
              report.seconds > 0 ? static_cast<double>(report.actions) / report.seconds : 0);
  std::printf("latency     p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms\n", report.p50,
              report.p90, report.p99, report.max);
  std::printf("matches     %llu\n", static_cast<unsigned long long>(report.matches));
  std::printf("reconnects  %llu\n", static_cast<unsigned long long>(report.reconnects));
  for (const auto& [code, count] : report.errors)
    std::printf("error       %s: %llu\n", clean(code).c_str(),
                static_cast<unsigned long long>(count));
  std::printf("verified    %llu of %llu acknowledged actions, lost %llu\n",
              static_cast<unsigned long long>(report.verified),
              static_cast<unsigned long long>(report.acknowledged),
              static_cast<unsigned long long>(report.lost));
}

int run(load_arguments& arguments) {
  for (const auto& url : arguments.urls) {
    const auto server = parse_url(url);
    if (!server || server->tls) {
      std::fprintf(stderr, "load: --url must be ws://HOST[:PORT][/PATH]; got %s\n", url.c_str());
      return 2;
    }
    arguments.options.others.push_back(*server);
  }
  arguments.options.server = arguments.options.others.front();
  arguments.options.others.erase(arguments.options.others.begin());
  arguments.options.stake = static_cast<std::int64_t>(arguments.stake * 100 + 0.5);
  arguments.options.best_of = static_cast<std::uint8_t>(arguments.best_of);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  const load_report report = run_load(arguments.options, interrupted);
  if (report.failed) {
    std::fprintf(stderr, "load: %s\n", report.failure.c_str());
    for (const auto& [code, count] : report.errors)
      std::fprintf(stderr, "load: %s: %llu\n", code.c_str(),
                   static_cast<unsigned long long>(count));
    return 1;
  }
  arguments.options.json ? print_json(arguments.options, report)
                         : print_text(arguments.options, report);
  if (report.lost > 0)
    std::fprintf(stderr, "load: %llu acknowledged actions are lost\n",
                 static_cast<unsigned long long>(report.lost));
  return report.lost > 0 || report.actions == 0 ? 1 : 0;
}

}  // namespace

void add_load_command(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<load_arguments>();
  auto* load =
      app.add_subcommand("load", "play with many bots over real sockets and measure every action");
  load->add_option("--url", arguments->urls,
                   "where the server is; repeated: other edges, for bots whose edge has died")
      ->type_size(1)
      ->allow_extra_args(false)
      ->capture_default_str();
  load->add_option("--game", arguments->game, "what is played")
      ->check(CLI::IsMember({"draw"}))
      ->capture_default_str();
  load->add_option("--tables", arguments->options.tables, "matches at a time; two bots each")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  load->add_option("--seconds", arguments->options.seconds, "how long to measure")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  load->add_option("--rate", arguments->options.rate,
                   "actions per second of all bots; 0: each acts as soon as it may")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  load->add_option("--best-of", arguments->best_of, "rounds of a match")
      ->check(CLI::IsMember({1, 3, 5, 7}))
      ->capture_default_str();
  load->add_option("--stake", arguments->stake, "DEMO each bot puts in")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  load->add_option("--idle", arguments->options.idle, "further sessions that only stay connected")
      ->check(CLI::Range(0, 60'000))
      ->capture_default_str();
  load->add_flag("--verify", arguments->options.verify_all,
                 "look up every acknowledged action afterwards (default: all if the server was "
                 "away, else for 5 s)");
  load->add_flag("--json", arguments->options.json,
                 "the last line of standard output is one JSON object");
  load->footer("Example: baraza load --tables 400 --seconds 30 --json");
  load->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace baraza::client
