// `baraza node`, `baraza shard` and `baraza player`: who is in the cluster, and orders to it, over
// any node's admin port.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "http/client/admin_door.hpp"
#include "http/client/cluster_screen.hpp"
#include "http/client/command_list.hpp"
#include "http/client/fields.hpp"
#include "http/wire.hpp"
#include "storage/ids.hpp"

namespace baraza::client {
namespace {

struct operator_arguments {
  admin_flags door;
  std::string name, shard, player;
};
using arguments = std::shared_ptr<operator_arguments>;

/// A table for people, and with --json the answer itself.
int show(const char* command, const operator_arguments& given, const char* target,
         std::string (*as_text)(std::string_view)) {
  std::string body, packed;
  admin_door door{command, given.door};
  if (const int code = door.ask_packed("GET", target, body, packed); code != 0) return code;
  std::fputs(given.door.json ? (body + '\n').c_str() : as_text(packed).c_str(), stdout);
  return 0;
}

int order(const char* command, const operator_arguments& given, const std::string& target,
          const std::string& done) {
  std::string body;
  if (const int code = admin_door{command, given.door}.order(target, body); code != 0) return code;
  const bool is_news = body.find("\"changed\":true") != std::string::npos;
  std::printf("%s\n", given.door.json ? body.c_str()
                      : is_news       ? done.c_str()
                                      : "nothing to do: it is so already");
  return 0;
}

/// Letters, digits, '-', '_' and '.': anything else is no name of a node, and not to be put in an
/// address.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string::npos;
}
const CLI::Validator name_check{[](const std::string& text) {
                                  return is_name(text) ? std::string{} : "no node's name: " + text;
                                },
                                "NAME"};

const CLI::Validator player_check{[](const std::string& text) {
                                    return uuid::parse(text) ? std::string{}
                                                             : "no player's id (a uuid): " + text;
                                  },
                                  "PLAYER"};

int order_player(const operator_arguments& given, const std::string& verb,
                 const std::string& done) {
  std::string body;
  const auto target = "/admin/v1/players/" + given.player + '/' + verb;
  if (const int code = admin_door{"player", given.door}.order(target, body); code != 0) return code;
  if (given.door.json) return std::printf("%s\n", body.c_str()), 0;
  const auto packed = http::wire::from_json(body);
  const auto ended = packed ? fields::number(fields::find(*packed, "ended")) : 0;
  const bool is_old = body.find("\"changed\":false") != std::string::npos;
  std::printf("%s%s%s; logins ended: %llu\n", given.player.c_str(), done.c_str(),
              is_old ? " already" : "", static_cast<unsigned long long>(ended));
  return 0;
}

CLI::App* add(CLI::App& to, const arguments& given, const char* name, const char* says,
              bool orders) {
  auto* sub = to.add_subcommand(name, says);
  given->door.add_to(*sub);
  given->door.add_dir(*sub);
  if (orders) given->door.add_as(*sub);
  return sub;
}

}  // namespace

void add_node_command(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<operator_arguments>();
  auto* command = app.add_subcommand("node", "the cluster's nodes: list, drain, undrain, remove");
  command->require_subcommand(1);
  command->footer("Example: baraza node drain node-2 --as amina");
  auto* list = add(*command, given, "list", "who is in the cluster, and how busy", false);
  list->footer("Example: baraza node list --admin 10.0.0.11:7778 --token-file operators.token");
  list->callback(
      [given, &exit_code] { exit_code = show("node", *given, "/admin/v1/cluster", node_table); });
  const auto act = [&](const char* verb, const char* says, const char* done) {
    auto* sub = add(*command, given, verb, says, true);
    sub->add_option("NAME", given->name, "as `node list` shows it")->required()->check(name_check);
    sub->footer(std::string{"Example: baraza node "} + verb + " node-2 --as amina");
    sub->callback([given, verb, done, &exit_code] {
      exit_code =
          order("node", *given, "/admin/v1/nodes/" + given->name + '/' + verb, given->name + done);
    });
  };
  act("drain", "its shards go to the others; the node stays until its process is stopped",
      " drains: `baraza node list` shows how many shards it still has");
  act("undrain", "it gets shards again", " is up again");
  act("remove", "declare one dead that does not answer any more", " is declared dead");
}

void add_shard_command(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<operator_arguments>();
  auto* command = app.add_subcommand("shard", "which node owns which shard");
  command->require_subcommand(1);
  command->footer("Example: baraza shard map");
  auto* map = add(*command, given, "map", "every node's shards", false);
  map->footer("Example: baraza shard map --json");
  map->callback(
      [given, &exit_code] { exit_code = show("shard", *given, "/admin/v1/shards", shard_table); });
  auto* move = add(*command, given, "move", "hand one shard to another node, once", true);
  move->footer("Example: baraza shard move 17 --to node-3 --as amina");
  move->add_option("SHARD", given->shard, "its number")->required()->check(CLI::NonNegativeNumber);
  move->add_option("--to", given->name, "the node that shall own it")
      ->required()
      ->check(name_check);
  move->callback([given, &exit_code] {
    exit_code =
        order("shard", *given, "/admin/v1/shards/" + given->shard + "/move?to=" + given->name,
              "shard " + given->shard + " is ordered to " + given->name +
                  ": `baraza shard map` shows where it is");
  });
}

void add_player_command(CLI::App& app, int& exit_code) {
  const auto given = std::make_shared<operator_arguments>();
  auto* command = app.add_subcommand("player", "a player's account: logout, disable, enable");
  command->require_subcommand(1);
  command->footer("Example: baraza player disable 0190a000-0000-7000-8000-000000000001 --as amina");
  const auto act = [&](const char* verb, const char* says, const char* done) {
    auto* sub = add(*command, given, verb, says, true);
    sub->add_option("PLAYER", given->player, "the id that wallets and matches show")
        ->required()
        ->check(player_check);
    sub->footer(std::string{"Example: baraza player "} + verb +
                " 0190a000-0000-7000-8000-000000000001 --as amina");
    sub->callback(
        [given, verb, done, &exit_code] { exit_code = order_player(*given, verb, done); });
  };
  act("logout", "end every login and connection; he may log in again", " is logged out");
  act("disable", "no login, token or connection any more; matches play on, money stays",
      " is disabled");
  act("enable", "he may log in again", " is enabled");
}

}  // namespace baraza::client
