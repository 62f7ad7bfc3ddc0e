#include "http/client/admin_door.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cluster/local/failure.hpp"
#include "cluster/local/keeper.hpp"
#include "cluster/local/status_text.hpp"
#include "http/client/http_api.hpp"
#include "http/wire.hpp"

namespace baraza::client {
namespace {

std::string user_name() {
  const char* name = std::getenv("USER");
  return name != nullptr ? name : "";
}

std::string_view without_scheme(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  while (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

/// What a client says when nobody answers, in words of this door.
bool is_silence(const problem& why) { return why.code == "unreachable"; }

}  // namespace

void admin_flags::add_to(CLI::App& command) {
  command.add_option("--admin", admin, "a node's admin port (default: 127.0.0.1:7778)")
      ->type_name("[http://]ADDRESS:PORT");
  command.add_option("--token-file", token_file, "file with the operators' token");
  command.add_flag("--json", json, "the last line of standard output is one JSON object");
}
void admin_flags::add_dir(CLI::App& command) {
  command.add_option("--dir", dir, "folder of a local cluster: any of its nodes is asked")
      ->type_name("DIR");
}
void admin_flags::add_as(CLI::App& command) {
  command.add_option("--as,--by", as, "who decides this, for the record (default: $USER)")
      ->type_name("NAME")
      ->check([](const std::string& text) {
        const bool fits =
            text.size() <= 64 && text.find_first_not_of(
                                     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
                                     "XYZ0123456789-_.@") == std::string::npos;
        return fits ? std::string{} : "at most 64 letters, digits or -_.@: " + text;
      });
}

admin_door::admin_door(std::string command, const admin_flags& given)
    : command_{std::move(command)}, given_{given} {}
admin_door::~admin_door() = default;

int admin_door::complain(const std::string& what, int code) const {
  std::fprintf(stderr, "baraza %s: %s\n", command_.c_str(), what.c_str());
  return code;
}

std::optional<std::string> admin_door::address() const {
  namespace local = cluster::local;
  if (!given_.admin.empty()) return std::string{without_scheme(given_.admin)};
  if (given_.dir.empty()) return std::string{default_admin};
  const auto folder = std::filesystem::absolute(given_.dir).lexically_normal();
  try {
    for (const auto& each : local::from_lines(local::ask_keeper(folder, {"status"})).members)
      if (each.state == "ready") return std::string{without_scheme(each.admin_url)};
    (void)complain("no node in " + folder.string() + " is ready", 1);
  } catch (const std::exception& why) {
    (void)complain(why.what(), 1);
  }
  return std::nullopt;
}

int admin_door::open() {
  if (api_) return 0;
  const auto at = address();
  if (!at) return 1;
  address_ = *at;
  const auto where = parse_url("ws://" + address_ + "/");
  if (!where || address_.find(':') == std::string::npos)
    return complain("--admin is ADDRESS:PORT, as `serve` prints it", 2);
  if (!given_.token_file.empty() && !(std::ifstream{given_.token_file} >> token_))
    return complain("cannot read a token from " + given_.token_file, 2);
  api_ = std::make_unique<http_api>(*where);
  return 0;
}

int admin_door::ask(std::string_view verb, const std::string& target, std::string& body) {
  if (const int code = open(); code != 0) return code;
  auto answer = api_->text(verb, target, "", token_);
  if (const auto* why = std::get_if<problem>(&answer)) {
    if (is_silence(*why))
      return complain("the admin port " + address_ + " does not answer: " + why->message, 1);
    return complain(why->code + ": " + why->message, why->code == "bad_field" ? 2 : 1);
  }
  body = std::move(std::get<std::string>(answer));
  return 0;
}

int admin_door::ask_packed(std::string_view verb, const std::string& target, std::string& body,
                           std::string& packed) {
  if (const int code = ask(verb, target, body); code != 0) return code;
  auto read = baraza::http::wire::from_json(body);
  if (!read) return complain("the server's answer cannot be read", 1);
  packed = std::move(*read);
  return 0;
}

int admin_door::order(const std::string& target, std::string& body) {
  const auto by = given_.as.empty() ? user_name() : given_.as;
  const auto mark = target.find('?') == std::string::npos ? "?by=" : "&by=";
  return ask("POST", by.empty() ? target : target + mark + by, body);
}

}  // namespace baraza::client
