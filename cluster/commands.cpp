#include "cluster/commands.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "actors/games/proof.hpp"
#include "actors/match_record.hpp"
#include "cluster/bench_ledger.hpp"
#include "storage/commands.hpp"
#include "storage/store.hpp"

namespace baraza::cluster {
namespace {

constexpr int exit_usage = 2;

/// Which store a command means: --data DIR (embedded, inside) or --store URL.
struct store_flags {
  std::string data, url;
  bool json = false;
  void add_to(CLI::App& command) {
    auto* folder =
        command.add_option("--data", data, "folder of the embedded store")->type_name("DIR");
    command.add_option("--store", url, "sqlite:PATH or postgresql://…")
        ->type_name("URL")
        ->excludes(folder)
        ->envname("BARAZA_STORAGE_URL");
    command.add_flag("--json", json, "the last line is one JSON object");
  }
  /// Empty, after a line on standard error, if neither was given.
  [[nodiscard]] std::string resolve() const {
    if (!url.empty()) return url;
    if (!data.empty()) return "sqlite:" + data + "/baraza.db";
    std::cerr << "name the store: --data DIR or --store URL\n";
    return {};
  }
};

std::optional<actors::cluster_key> read_key(const std::string& path) {
  if (path.empty()) return std::nullopt;
  actors::cluster_key key{};
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  const bool whole = ::read(file, key.data(), key.size()) == static_cast<ssize_t>(key.size());
  ::close(file);
  return whole ? std::optional{key} : std::nullopt;
}

int replay(const store_flags& flags, const std::string& match, const std::string& key_file) {
  const auto id = uuid::parse(match);
  if (!id) {
    std::cerr << "replay: a match is named by its id, as in 01900000-0000-7000-8000-000000000000\n";
    return exit_usage;
  }
  const auto url = flags.resolve();
  if (url.empty()) return exit_usage;
  auto store = storage::open(url, {.read_only = true});
  if (!store) return std::cerr << "replay: " << store.why().message << '\n', 1;
  auto reader = (*store)->open_reader();
  if (!reader) return std::cerr << "replay: " << reader.why().message << '\n', 1;
  auto events = (*reader)->events({entity_kind::table, *id}, 0, 10'000);
  if (!events) return std::cerr << "replay: " << events.why().message << '\n', 1;
  if (events->empty()) return std::cerr << "replay: the store holds no match " << match << '\n', 1;
  const auto key = read_key(!key_file.empty()    ? key_file
                            : flags.data.empty() ? ""
                                                 : flags.data + "/cluster.key");
  const auto report = actors::replay(*id, *events, key ? &*key : nullptr);
  if (!flags.json)
    for (const auto& line : report.lines) std::cout << line << '\n';
  if (flags.json)
    std::cout << "{\"match\":\"" << match << "\",\"events\":" << events->size()
              << ",\"folds\":" << (report.folds ? "true" : "false")
              << ",\"equal\":" << (report.equal ? "true" : "false") << "}\n";
  else
    std::cout << report.verdict << '\n';
  return report.folds && report.equal ? 0 : 1;
}

void add_ledger(CLI::App& app, int& exit_code) {
  auto* ledger = app.add_subcommand("ledger", "prove the books");
  ledger->require_subcommand(1);
  auto* verify = ledger->add_subcommand(
      "verify", "Σ debits = Σ credits, every balance = Σ of its transfers, no match settled twice");
  verify->footer(
      "Example: baraza ledger verify --data ./data\nExit code 0: clean; 1: the first violation is "
      "printed; 2: not readable.");
  auto flags = std::make_shared<store_flags>();
  flags->add_to(*verify);
  verify->callback([flags, &exit_code] {
    const auto url = flags->resolve();
    exit_code = url.empty() ? exit_usage : storage::ledger_verify(url, flags->json);
  });
}

void add_migrate(CLI::App& app, int& exit_code) {
  auto* migrate = app.add_subcommand("migrate", "bring the store's schema up or down");
  migrate->footer("Example: baraza migrate up --store postgresql://baraza@localhost/baraza");
  auto flags = std::make_shared<store_flags>();
  flags->add_to(*migrate);
  auto action = std::make_shared<std::string>();
  auto target = std::make_shared<std::optional<int>>();
  migrate->add_option("ACTION", *action, "up, down or status")->required();
  migrate->add_option("--to", *target, "schema number; 0 with down drops everything");
  migrate->callback([=, &exit_code] {
    const auto url = flags->resolve();
    exit_code = url.empty() ? exit_usage : storage::migrate(url, *action, *target, flags->json);
  });
}

void add_replay(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "replay",
      "print each event of a match and the state after it, and compare the fold with the outcome");
  command->footer("Example: baraza replay 01900000-0000-7000-8000-000000000000 --data ./data");
  auto flags = std::make_shared<store_flags>();
  flags->add_to(*command);
  auto match = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  command->add_option("MATCH", *match, "the match's id")->required();
  command
      ->add_option("--key", *key,
                   "cluster key file, for a match that has not ended (else DIR/cluster.key)")
      ->type_name("FILE");
  command->callback([=, &exit_code] { exit_code = replay(*flags, *match, *key); });
}

void add_proof(CLI::App& app, int& exit_code) {
  auto* proof = app.add_subcommand("proof", "check a match's fairness offline");
  proof->require_subcommand(1);
  auto* verify = proof->add_subcommand(
      "verify", "recompute every shuffle, replay the match, compare cards, result and payout");
  verify->footer("Example: baraza proof verify match.json");
  auto file = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verify->add_option("FILE", *file, "proof file, as GET /v1/matches/ID/proof returns it")
      ->required();
  verify->add_flag("--json", *json, "the last line is one JSON object");
  verify->callback([=, &exit_code] { exit_code = games::proof_verify_command(*file, *json); });
}

void add_bench(CLI::App& app, int& exit_code) {
  auto* bench = app.add_subcommand("bench", "measure this machine");
  bench->require_subcommand(1);
  auto* ledger = bench->add_subcommand(
      "ledger", "durable transfers a second through wallet actors and gate, beside the naive way");
  ledger->footer(
      "Example: baraza bench ledger --store postgresql://baraza@localhost/bench --seconds 10 "
      "--json\n"
      "The store must be empty: the benchmark fills it with 100,000 wallets.");
  auto flags = std::make_shared<store_flags>();
  flags->add_to(*ledger);
  auto options = std::make_shared<bench_ledger_options>();
  ledger->add_option("--seconds", options->seconds, "length of each measurement")
      ->check(CLI::Range(1, 600));
  ledger->add_option("--accounts", options->accounts, "wallets that pay each other")
      ->check(CLI::Range(100, 1'000'000));
  ledger->add_option("--in-flight", options->in_flight, "buy-ins not yet answered")
      ->check(CLI::Range(1, 100'000));
  ledger->add_option("--writers", options->writers, "commit connections")->check(CLI::Range(1, 16));
  ledger->add_flag("--skip-naive", options->skip_naive, "only our way");
  ledger->callback([=, &exit_code] {
    options->url = flags->resolve();
    options->json = flags->json;
    exit_code = options->url.empty() ? exit_usage : bench_ledger(*options);
  });
}

}  // namespace

void add_store_commands(CLI::App& app, int& exit_code) {
  add_ledger(app, exit_code);
  add_migrate(app, exit_code);
  add_replay(app, exit_code);
  add_proof(app, exit_code);
  add_bench(app, exit_code);
}

}  // namespace baraza::cluster
