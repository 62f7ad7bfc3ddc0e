#include "cluster/local/commands.hpp"

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/folder.hpp"
#include "cluster/local/keeper.hpp"
#include "cluster/local/logs.hpp"
#include "cluster/local/status_text.hpp"

namespace baraza::cluster::local {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;

/// Runs `what`; a failure is one line (a log's end may follow) and an exit code.
template <class What>
int guarded(What&& what) {
  try {
    what();
    return 0;
  } catch (const failure& why) {
    std::cerr << "baraza cluster: " << why.what() << '\n';
    return why.is_usage ? 2 : 1;
  } catch (const std::exception& why) {
    std::cerr << "baraza cluster: " << why.what() << '\n';
    return 1;
  }
}

/// What most commands have: a folder and names of nodes.
struct target {
  std::string dir = default_folder();
  std::vector<std::string> names;
  bool json = false;
  [[nodiscard]] fs::path folder() const { return fs::absolute(dir).lexically_normal(); }
  [[nodiscard]] std::string ask(std::vector<std::string> words) const {
    return ask_keeper(folder(), words);
  }
  [[nodiscard]] std::string ask_about_names(const std::string& verb) const {
    std::vector words{verb};
    words.insert(words.end(), names.begin(), names.end());
    return ask(std::move(words));
  }
  [[nodiscard]] cluster_status status() const { return from_lines(ask({"status"})); }
};

std::shared_ptr<target> add_dir(CLI::App& command) {
  auto made = std::make_shared<target>();
  command.add_option("--dir", made->dir, "the cluster's folder")
      ->type_name("DIR")
      ->capture_default_str();
  return made;
}

void add_json(CLI::App& command, target& to) {
  command.add_flag("--json", to.json, "one object on the last line of standard output");
}

fs::path this_binary() {
  std::error_code why;
  const auto self = fs::read_symlink("/proc/self/exe", why);
  if (why) throw failure{"cannot tell where this program is: " + why.message()};
  return self;
}

// ---- up, down -----------------------------------------------------------------------------------

struct up_arguments {
  cluster_options options;
  std::vector<std::string> postgres;  // NAME=VALUE
  int report = -1;

  void add_to(CLI::App& command) {
    command.add_option("--nodes", options.nodes, "processes that own shards")
        ->capture_default_str();
    command
        .add_option("--edges", options.edges, "processes that players connect to; 0: every node")
        ->capture_default_str();
    command.add_flag("--house-bot", options.house_bot, "a bot that plays whoever waits alone");
    command.add_flag("--tls", options.tls, "certificates between the nodes");
    command.add_option("--set", options.settings, "any setting of every node; may be repeated")
        ->type_name("SECTION.KEY=VALUE")
        ->type_size(1)
        ->allow_extra_args(false);
    command.add_option("--postgres", postgres, "any setting of the store; may be repeated")
        ->type_name("NAME=VALUE")
        ->type_size(1)
        ->allow_extra_args(false);
  }
  /// The same for a keeper.
  [[nodiscard]] std::vector<std::string> words() const {
    std::vector<std::string> out{"--nodes", std::to_string(options.nodes), "--edges",
                                 std::to_string(options.edges)};
    if (options.house_bot) out.emplace_back("--house-bot");
    if (options.tls) out.emplace_back("--tls");
    for (const auto& each : options.settings) out.insert(out.end(), {"--set", each});
    for (const auto& each : postgres) out.insert(out.end(), {"--postgres", each});
    return out;
  }
  void fill_in(const target& at) {
    options.binary = this_binary();
    options.folder = at.folder();
    for (const auto& each : postgres) {
      const auto equals = each.find('=');
      if (equals == std::string::npos) throw wrong_usage("--postgres NAME=VALUE, not " + each);
      options.postgres[each.substr(0, equals)] = each.substr(equals + 1);
    }
  }
};

void print_up(const cluster_status& s, bool json) {
  if (json) return void(std::cout << to_json(s) << std::endl);
  std::string doors;
  for (const auto& m : s.members)
    if (!m.play_url.empty()) doors += "  " + m.name + "  " + m.http_url + "  " + m.play_url + "\n";
  std::cout << to_table(s) << "\nplayers' doors\n"
            << doors << "\nbaraza cluster status|logs|kill|… work on it";
  if (s.folder != default_folder()) std::cout << " with --dir " << s.folder;
  std::cout << "; `baraza cluster down` ends it." << std::endl;
}

void add_up(CLI::App& cluster, int& exit_code) {
  auto* up = cluster.add_subcommand(
      "up", "start a private PostgreSQL and a cluster of real processes on this machine");
  up->footer("Example: baraza cluster up --nodes 3 --edges 2 --house-bot");
  const auto at = add_dir(*up);
  const auto arguments = std::make_shared<up_arguments>();
  arguments->options.edges = 2;
  arguments->add_to(*up);
  add_json(*up, *at);
  up->callback([=, &exit_code] {
    exit_code = guarded([&] {
      arguments->fill_in(*at);  // complains here rather than in the keeper
      std::vector<std::string> command{this_binary(), "cluster", "keeper", "--dir", at->folder()};
      const auto same = arguments->words();
      command.insert(command.end(), same.begin(), same.end());
      command.emplace_back("--report");
      start_keeper(std::move(command));
      print_up(at->status(), at->json);
    });
  });
}

/// What `up` starts in the background.
void add_keeper(CLI::App& cluster, int& exit_code) {
  auto* keeper = cluster.add_subcommand("keeper", "")->group("");
  const auto at = add_dir(*keeper);
  const auto arguments = std::make_shared<up_arguments>();
  arguments->add_to(*keeper);
  keeper->add_option("--report", arguments->report)->required();
  keeper->callback([=, &exit_code] {
    const int kept = guarded([&] {
      arguments->fill_in(*at);
      exit_code = keep(arguments->options, arguments->report);
    });
    if (kept != 0) exit_code = kept;
  });
}

void add_down(CLI::App& cluster, int& exit_code) {
  auto* down = cluster.add_subcommand("down", "end every process and remove the folder");
  down->footer("Example: baraza cluster down");
  const auto at = add_dir(*down);
  down->callback([=, &exit_code] {
    exit_code = guarded([&] {
      try {
        (void)at->ask({"down"});
      } catch (const failure&) {
        // Its keeper may have been killed: then what it left is ours to remove.
        if (!cluster_folder::clean(at->folder())) throw;
      }
      std::cout << at->folder().string() << " is gone\n";
    });
  });
}

// ---- single nodes -------------------------------------------------------------------------------

/// Asks again and again until `holds` is true of the member. Throws when `limit` is over.
template <class Holds>
void wait_for(const target& at, const std::string& name, std::chrono::milliseconds limit,
              const std::string& what, Holds&& holds) {
  const auto until = clock::now() + limit;
  for (;;) {
    const auto all = at.status();
    const auto found = std::find_if(all.members.begin(), all.members.end(),
                                    [&](const member_status& m) { return m.name == name; });
    if (found != all.members.end() && holds(*found)) return;
    if (clock::now() > until)
      throw failure{name + " is not " + what + " after " + std::to_string(limit.count() / 1000) +
                    " s: `baraza cluster logs " + name + "`"};
    std::this_thread::sleep_for(5 * poll_every);
  }
}

void wait_until_ready(const target& at, const std::string& name) {
  wait_for(at, name, ready_limit, "ready", [&](const member_status& m) {
    if (m.state.starts_with("ended"))
      throw failure{name + " " + m.state + ":\n" +
                    tail(at.folder() / name / "log", log_tail_lines)};
    return m.state == "ready";
  });
}

/// One command that takes names and does `act` with them.
template <class Act>
CLI::App* add_for_names(CLI::App& cluster, int& exit_code, const std::string& name,
                        const std::string& meaning, Act act) {
  auto* command = cluster.add_subcommand(name, meaning);
  command->footer("Example: baraza cluster " + name + " node-1");
  const auto at = add_dir(*command);
  command->add_option("NODE", at->names, "names, as `status` shows them")->required();
  command->callback([=, &exit_code] { exit_code = guarded([&] { act(*at); }); });
  return command;
}

void add_single(CLI::App& cluster, int& exit_code) {
  const auto plain = [&](const std::string& verb, const std::string& meaning) {
    add_for_names(cluster, exit_code, verb, meaning,
                  [verb](const target& at) { (void)at.ask_about_names(verb); });
  };
  plain("kill", "SIGKILL: as a crash, all named at once");
  plain("pause", "SIGSTOP: alive, but as if its machine stood still");
  plain("resume", "SIGCONT");
  add_for_names(cluster, exit_code, "drain", "SIGTERM, and wait until it has handed over and left",
                [](const target& at) {
                  (void)at.ask_about_names("drain");
                  for (const auto& each : at.names)
                    wait_for(at, each, drain_limit, "gone",
                             [](const member_status& m) { return m.state.starts_with("ended"); });
                });
  add_for_names(cluster, exit_code, "restart", "kill it if it runs, start it, wait until ready",
                [](const target& at) {
                  (void)at.ask_about_names("restart");
                  for (const auto& each : at.names) wait_until_ready(at, each);
                });
}

void add_add(CLI::App& cluster, int& exit_code) {
  auto* command = cluster.add_subcommand("add", "start one node more, and wait until it is ready");
  command->footer("Example: baraza cluster add --edge");
  const auto at = add_dir(*command);
  const auto edge = std::make_shared<bool>(false);
  command->add_flag("--edge", *edge, "an edge instead");
  add_json(*command, *at);
  command->callback([=, &exit_code] {
    exit_code = guarded([&] {
      const auto name = at->ask({"add", *edge ? "edge" : "node"});
      wait_until_ready(*at, name);
      if (!at->json) return void(std::cout << name << " is ready\n");
      std::cout << "{\"name\":\"" << name << "\"}\n";
    });
  });
}

// ---- faults -------------------------------------------------------------------------------------

void add_partition(CLI::App& cluster, int& exit_code) {
  auto* command = cluster.add_subcommand("partition", "part a node from others or from the store");
  command->footer(
      "Example: baraza cluster partition node-1 --from store\n"
      "         baraza cluster partition node-1 --from node-2 --way out --reset");
  const auto at = add_dir(*command);
  const auto node = std::make_shared<std::string>();
  const auto from = std::make_shared<std::string>("others");
  const auto way = std::make_shared<std::string>("both");
  const auto reset = std::make_shared<bool>(false);
  command->add_option("NODE", *node, "as `status` shows it")->required();
  command->add_option("--from", *from, "others, store, all, or one node's name")
      ->capture_default_str();
  command->add_option("--way", *way, "both; out: what NODE sends is lost; in: what is sent to it")
      ->check(CLI::IsMember({"both", "out", "in"}))
      ->capture_default_str();
  command->add_flag_callback(
      "--one-way", [way] { *way = "out"; }, "the same as --way out");
  command->add_flag("--reset", *reset, "break connections; else they are silent, which is worse");
  command->callback([=, &exit_code] {
    exit_code = guarded([&] {
      (void)at->ask({"partition", *node, *from, *way, *reset ? "reset" : "stalled"});
    });
  });

  auto* heal = cluster.add_subcommand("heal", "end every partition");
  heal->footer("Example: baraza cluster heal");
  const auto where = add_dir(*heal);
  heal->callback([=, &exit_code] { exit_code = guarded([&] { (void)where->ask({"heal"}); }); });
}

void add_store(CLI::App& cluster, int& exit_code) {
  auto* command = cluster.add_subcommand("store", "stop, start or kill the cluster's PostgreSQL");
  command->footer("Example: baraza cluster store stop");
  const auto at = add_dir(*command);
  const auto what = std::make_shared<std::string>();
  command->add_option("WHAT", *what, "stop, start or kill")
      ->required()
      ->check(CLI::IsMember({"stop", "start", "kill"}));
  command->callback([=, &exit_code] {
    exit_code = guarded([&] { (void)at->ask({"store", *what}); });
  });
}

void add_logs(CLI::App& cluster, int& exit_code) {
  auto* command = cluster.add_subcommand("logs", "show what the processes have written");
  command->footer("Example: baraza cluster logs -f node-1");
  const auto at = add_dir(*command);
  const auto follow = std::make_shared<bool>(false);
  const auto lines = std::make_shared<std::size_t>(log_tail_lines);
  command->add_option("NODE", at->names, "names, also store and keeper; all nodes if left out");
  command->add_flag("-f,--follow", *follow, "go on as they write, until Ctrl-C");
  command->add_option("--lines", *lines, "how many of each to begin with")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->callback([=, &exit_code] {
    exit_code = guarded([&] {
      // From the files, so that they can be read although the keeper is busy or dead.
      show_logs(at->folder(), at->names, *lines, *follow, std::cout);
    });
  });
}

}  // namespace

void add_commands(CLI::App& cluster, int& exit_code) {
  add_up(cluster, exit_code);
  add_keeper(cluster, exit_code);
  add_add(cluster, exit_code);
  add_single(cluster, exit_code);
  add_partition(cluster, exit_code);
  add_store(cluster, exit_code);
  add_logs(cluster, exit_code);
  add_down(cluster, exit_code);
}

}  // namespace baraza::cluster::local
