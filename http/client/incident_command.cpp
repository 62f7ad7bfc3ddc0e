// `baraza incident`: what the node's operators see and decide, over its admin port.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>

#include "http/client/command_list.hpp"
#include "http/client/fields.hpp"
#include "http/client/http_api.hpp"
#include "http/wire.hpp"

namespace baraza::client {
namespace {

struct incident_arguments {
  std::string admin = "127.0.0.1:7778", token_file, by, before, kind, id;
  int limit = 50;
  bool json = false;
};

std::string user_name() {
  const char* name = std::getenv("USER");
  return name != nullptr ? name : "";
}

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "baraza incident: %s\n", what.c_str());
  return code;
}

/// Asks the admin port. Exit code 2 for what was typed wrong, 1 for what went wrong.
int ask(const incident_arguments& given, std::string_view verb, const std::string& target,
        std::string& body) {
  const auto where = parse_url("ws://" + given.admin + "/");
  if (!where) return complain("--admin is ADDRESS:PORT, as `serve` prints it", 2);
  std::string token;
  if (!given.token_file.empty() && !(std::ifstream{given.token_file} >> token))
    return complain("cannot read a token from " + given.token_file, 2);
  auto answer = http_api{*where}.text(verb, target, "", token);
  if (const auto* why = std::get_if<problem>(&answer))
    return complain(why->code + ": " + why->message, why->code == "bad_field" ? 2 : 1);
  body = std::get<std::string>(answer);
  return 0;
}

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
  std::string body;
  auto target = "/admin/v1/incidents?limit=" + std::to_string(given.limit);
  if (!given.before.empty()) target += "&before=" + given.before;
  if (const int code = ask(given, "GET", target, body); code != 0) return code;
  const auto packed = baraza::http::wire::from_json(body);
  if (!packed) return complain("the server's answer cannot be read", 1);
  fields::elements(fields::find(*packed, "incidents"), print);
  if (const auto next = fields::text(fields::find(*packed, "next_before")); !next.empty())
    std::printf("older ones: --before %s\n", std::string{next}.c_str());
  if (given.json) std::printf("%s\n", body.c_str());
  return 0;
}

int decide(const incident_arguments& given, const char* what) {
  std::string body;
  const auto target = "/admin/v1/entities/" + given.kind + '/' + given.id + '/' + what +
                      "?by=" + (given.by.empty() ? user_name() : given.by);
  if (const int code = ask(given, "POST", target, body); code != 0) return code;
  std::printf("begun; what becomes of it shows in `baraza incident list`\n");
  if (given.json) std::printf("%s\n", body.c_str());
  return 0;
}

}  // namespace

void add_incident_command(CLI::App& app, int& exit_code) {
  auto given = std::make_shared<incident_arguments>();
  auto* command =
      app.add_subcommand("incident", "matches and wallets that stopped: what happened, what now");
  command->require_subcommand(1);
  command->footer("Example: baraza incident retry table 0190a000-0000-7000-8000-000000000001");
  const auto reach = [&](CLI::App* sub) {
    sub->add_option("--admin", given->admin, "the node's admin port")->capture_default_str();
    sub->add_option("--token-file", given->token_file, "file with the operators' token");
    sub->add_flag("--json", given->json, "the last line of standard output is one JSON object");
  };
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
    sub->add_option("--by", given->by, "who decides this, for the record (default: $USER)");
    sub->footer(std::string{"Example: baraza incident "} + name +
                " table 0190a000-0000-7000-8000-000000000001 --by amina");
    reach(sub);
    sub->callback([given, name, &exit_code] { exit_code = decide(*given, name); });
  };
  add("retry", "forgive a quarantined one its failures and bring it back");
  add("void", "end a quarantined match: the stakes go back");
}

}  // namespace baraza::client
