// `baraza incident`: what the node's operators see and decide, over its admin port.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <memory>

#include "http/client/admin_door.hpp"
#include "http/client/command_list.hpp"
#include "http/client/fields.hpp"

namespace baraza::client {
namespace {

struct incident_arguments {
  admin_flags door;
  std::string before, kind, id;
  int limit = 50;
};

void print(std::string_view incident) {
  const auto at = fields::signed_number(fields::find(incident, "at"));
  const auto seconds = static_cast<std::time_t>(at / 1000);
  std::tm day{};
  ::gmtime_r(&seconds, &day);
  char when[32];
  std::strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", &day);
  const auto text = [&](const char* name) {
    return std::string{fields::text(fields::find(incident, name))};
  };
  std::printf("%s  %-13s %s %s  %s\n", when, text("what").c_str(), text("kind").c_str(),
              text("entity").c_str(), text("detail").c_str());
}

int list(const incident_arguments& given) {
  std::string body, packed;
  auto target = "/admin/v1/incidents?limit=" + std::to_string(given.limit);
  if (!given.before.empty()) target += "&before=" + given.before;
  admin_door door{"incident", given.door};
  if (const int code = door.ask_packed("GET", target, body, packed); code != 0) return code;
  fields::elements(fields::find(packed, "incidents"), print);
  if (const auto next = fields::text(fields::find(packed, "next_before")); !next.empty())
    std::printf("older ones: --before %s\n", std::string{next}.c_str());
  if (given.door.json) std::printf("%s\n", body.c_str());
  return 0;
}

int decide(const incident_arguments& given, const char* what) {
  std::string body;
  const auto target = "/admin/v1/entities/" + given.kind + '/' + given.id + '/' + what;
  if (const int code = admin_door{"incident", given.door}.order(target, body); code != 0)
    return code;
  std::printf("begun; what becomes of it shows in `baraza incident list`\n");
  if (given.door.json) std::printf("%s\n", body.c_str());
  return 0;
}

}  // namespace

void add_incident_command(CLI::App& app, int& exit_code) {
  auto given = std::make_shared<incident_arguments>();
  auto* command =
      app.add_subcommand("incident", "matches and wallets that stopped: what happened, what now");
  command->require_subcommand(1);
  command->footer("Example: baraza incident retry table 0190a000-0000-7000-8000-000000000001");
  const auto reach = [&](CLI::App* sub) { given->door.add_to(*sub); };
  auto* show = command->add_subcommand("list", "the newest incidents and decisions");
  show->add_option("--limit", given->limit, "how many")->check(CLI::Range(1, 200));
  show->add_option("--before", given->before, "only older ones, as the last page says");
  show->footer("Example: baraza incident list --limit 20");
  reach(show);
  show->callback([given, &exit_code] { exit_code = list(*given); });
  const auto add = [&](const char* name, const char* says) {
    auto* sub = command->add_subcommand(name, says);
    sub->add_option("kind", given->kind, "table, wallet, lobby …")->required();
    sub->add_option("id", given->id, "its id, as the list shows it")->required();
    given->door.add_as(*sub);
    sub->footer(std::string{"Example: baraza incident "} + name +
                " table 0190a000-0000-7000-8000-000000000001 --by amina");
    reach(sub);
    sub->callback([given, name, &exit_code] { exit_code = decide(*given, name); });
  };
  add("retry", "forgive a quarantined one its failures and bring it back");
  add("void", "end a quarantined match: the stakes go back");
}

}  // namespace baraza::client
