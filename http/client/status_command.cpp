// `baraza cluster status`: the cluster behind an admin port, or the local one in a folder, once or
// as a live view.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include "cluster/local/failure.hpp"
#include "cluster/local/folder.hpp"
#include "cluster/local/keeper.hpp"
#include "cluster/local/status_text.hpp"
#include "http/client/admin_door.hpp"
#include "http/client/cluster_screen.hpp"
#include "http/client/command_list.hpp"
#include "http/wire.hpp"

namespace baraza::client {
namespace {

namespace local = cluster::local;
constexpr std::chrono::seconds watch_every{1};

struct status_arguments {
  admin_flags door;
  bool watch = false;
};

/// Of the cluster behind --admin. @returns an exit code
int look(const status_arguments& given, admin_door& door, std::string& shown) {
  std::string body, packed;
  if (const int code = door.ask_packed("GET", "/admin/v1/cluster", body, packed); code != 0)
    return code;
  shown = given.door.json ? body + '\n' : cluster_screen(packed);
  return 0;
}

/// Of the cluster in --dir, its processes first.
int look_local(const status_arguments& given, admin_door& door, std::string& shown) {
  try {
    const auto folder = std::filesystem::absolute(given.door.dir).lexically_normal();
    auto now = local::from_lines(local::ask_keeper(folder, {"status"}));
    if (now.view.empty() && !given.door.token_file.empty())  // the keeper knows no token
      (void)door.ask("GET", "/admin/v1/cluster", now.view);
    if (given.door.json) {
      shown = local::to_json(now) + '\n';
      return 0;
    }
    shown = local::to_table(now);
    if (const auto packed = baraza::http::wire::from_json(now.view); packed && !now.view.empty())
      shown += '\n' + cluster_screen(*packed);
    return 0;
  } catch (const local::failure& why) {
    return door.complain(why.what(), why.is_usage ? 2 : 1);
  } catch (const std::exception& why) {
    return door.complain(why.what(), 1);
  }
}

int status(status_arguments given) {
  const bool is_local = given.door.admin.empty();
  if (is_local && given.door.dir.empty()) given.door.dir = local::default_folder();
  admin_door door{"cluster", given.door};
  const bool is_screen = given.watch && !given.door.json && ::isatty(STDOUT_FILENO) == 1;
  for (bool is_first = true;; is_first = false) {
    std::string shown;
    const int code = is_local ? look_local(given, door, shown) : look(given, door, shown);
    if (code != 0 && is_first) return code;  // later ones may be a node that restarts
    if (code == 0) {
      std::fputs(((is_screen ? "\x1b[H\x1b[2J" : "") + shown).c_str(), stdout);
      std::fflush(stdout);
    }
    if (!given.watch) return 0;
    std::this_thread::sleep_for(watch_every);
  }
}

}  // namespace

void add_status_command(CLI::App& cluster, int& exit_code) {
  auto* command = cluster.add_subcommand(
      "status", "nodes, shards, players and the last events, of any cluster or a local one");
  command->footer(
      "Example: baraza cluster status --watch --admin 10.0.0.11:7778 --token-file operators.token\n"
      "         baraza cluster status --dir ./cluster\n"
      "Without --admin it shows the local cluster of --dir, or of the default folder.");
  const auto given = std::make_shared<status_arguments>();
  given->door.add_to(*command);
  given->door.add_dir(*command);
  command->add_flag("--watch", given->watch, "again each second, until Ctrl-C");
  command->callback([given, &exit_code] { exit_code = status(*given); });
}

}  // namespace baraza::client
