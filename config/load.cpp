#include "config/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "config/check.hpp"
#include "config/keys.hpp"
#include "config/toml.hpp"
#include "config/values.hpp"

namespace baraza::config {
namespace {

std::string unknown_key(std::string_view full_name, std::string_view section_name) {
  std::string list;
  for (const auto& k : keys())
    if (k.section == section_name) list += (list.empty() ? "" : ", ") + std::string{k.name};
  if (list.empty()) {
    for (const auto& s : sections()) list += (list.empty() ? "" : ", ") + std::string{s.name};
    list = "; allowed sections: " + list;
  } else {
    list = "; allowed in [" + std::string{section_name} + "]: " + list;
  }
  return "unknown key" + list + "; nearest known key: " + nearest_key(full_name).full_name();
}

/// The error of `k` at `at`: every source words it the same way.
load_error wrong(const origin& at, const key& k, const std::string& what) {
  return {to_string(at) + ": " + k.full_name() + " " + what + "; allowed: " + allowed(k)};
}

std::optional<load_error> set(loaded& into, const key& k, const value& v, origin at) {
  if (const auto bad = check(k, v)) return wrong(at, k, *bad);
  assign(k, v, into.values);
  into.origins[k.full_name()] = std::move(at);
  return std::nullopt;
}

std::optional<load_error> set_text(loaded& into, const key& k, std::string_view text, origin at) {
  const auto v = parse(k, text);
  if (!v) return wrong(at, k, "is " + shown(text));
  return set(into, k, *v, std::move(at));
}

// ---- file

std::optional<load_error> read_file(loaded& into, const std::string& path) {
  auto file = parse_toml(path);
  if (auto* bad = std::get_if<toml_error>(&file)) {
    origin at{origin::kind::file, path, bad->line};
    return load_error{to_string(at) + ": " + bad->what};
  }
  for (const auto& entry : std::get<std::vector<toml_entry>>(file)) {
    const auto full_name = entry.section.empty() ? entry.name : entry.section + "." + entry.name;
    origin at{origin::kind::file, path, entry.line};
    const bool is_section = std::any_of(
        sections().begin(), sections().end(),
        [&](const section& s) { return entry.section.empty() && s.name == entry.name; });
    if (is_section)
      return load_error{to_string(at) + ": " + entry.name + " is " + entry.type +
                        "; allowed: a section, as [" + entry.name + "]"};
    const auto* k = find_key(entry.section, entry.name);
    if (k == nullptr) {
      const auto named = shown(full_name);
      return load_error{to_string(at) + ": " + named.substr(1, named.size() - 2) + ": " +
                        unknown_key(full_name, entry.section)};
    }
    if (!entry.content) return wrong(at, *k, "is " + entry.type);
    if (k->type.index() != entry.content->index()) return wrong(at, *k, "is " + entry.type);
    if (auto error = set(into, *k, *entry.content, std::move(at))) return error;
  }
  return std::nullopt;
}

// ---- environment

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Kubernetes sets BARAZA_HTTP_SERVICE_HOST, BARAZA_HTTP_PORT_7777_TCP … for a service named
/// baraza-http.
bool is_of_kubernetes(std::string_view name) {
  return name.find("_SERVICE_HOST") != std::string_view::npos ||
         name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.find("_PORT_") != std::string_view::npos || name.ends_with("_PORT");
}

std::optional<load_error> read_variable(loaded& into, const std::string& name,
                                        const std::string& text) {
  const auto found = std::find_if(keys().begin(), keys().end(),
                                  [&](const key& k) { return k.environment() == name; });
  origin at{origin::kind::environment, name, 0};
  if (found != keys().end()) return set_text(into, *found, text, std::move(at));
  if (is_of_kubernetes(name)) return std::nullopt;
  // BARAZA_HTTP_LISTNE is a mistake; BARAZA_DEPS belongs to somebody else.
  auto full_name = lower(std::string_view{name}.substr(std::strlen("BARAZA_")));
  const auto underscore = full_name.find('_');
  if (underscore == std::string::npos) return std::nullopt;
  const auto section_name = full_name.substr(0, underscore);
  full_name[underscore] = '.';
  const bool known_section = std::any_of(sections().begin(), sections().end(),
                                         [&](const section& s) { return s.name == section_name; });
  if (!known_section && edit_distance(full_name, nearest_key(full_name).full_name()) > 2)
    return std::nullopt;
  const auto named = shown(name);
  return load_error{named.substr(1, named.size() - 2) + ": " +
                    unknown_key(full_name, section_name) + " (" +
                    nearest_key(full_name).environment() + ")"};
}

// ---- what the machine decides

std::string default_data_dir() {
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg != nullptr && *xdg == '/')
    return std::string{xdg} + "/baraza";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string{home} + "/.local/share/baraza"
                                         : "/var/lib/baraza";
}

std::string host_name() {
  std::array<char, 65> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return "node";
  std::string name;
  for (const char* c = buffer.data(); *c != 0; ++c) {
    const auto u = static_cast<unsigned char>(*c);
    name += u < 128 && (std::isalnum(u) != 0 || *c == '-' || *c == '_' || *c == '.') ? *c : '-';
  }
  return name.empty() ? "node" : name;
}

void fill_in(settings& s) {
  if (s.node.name.empty()) s.node.name = host_name();
  if (s.node.data_dir.empty()) s.node.data_dir = default_data_dir();
  if (s.storage.url.empty()) s.storage.url = "sqlite:" + s.node.data_dir + "/baraza.db";
  if (s.cluster.key_file.empty()) s.cluster.key_file = s.node.data_dir + "/cluster.key";
}

}  // namespace

std::string to_string(const origin& o) {
  if (o.from == origin::kind::standard) return "default";
  const auto quoted = shown(o.where);  // a file name may hold a line break
  const auto where = quoted == "\"" + o.where + "\"" ? o.where : quoted;
  return o.line > 0 ? where + ":" + std::to_string(o.line) : where;
}

std::variant<loaded, load_error> load(const sources& from) {
  loaded result;
  for (const auto& k : keys()) result.origins[k.full_name()] = {};
  if (from.file)
    if (auto error = read_file(result, *from.file)) return *error;
  for (const auto& [name, text] : from.environment)
    if (auto error = read_variable(result, name, text)) return *error;
  for (const auto& flag : from.flags) {
    origin at{origin::kind::flag, flag.flag, 0};
    const auto* k = find_key(flag.key);
    if (k == nullptr) {
      const auto section_name = flag.key.substr(0, flag.key.find('.'));
      const auto named = shown(flag.key);
      return load_error{to_string(at) + ": " + named.substr(1, named.size() - 2) + ": " +
                        unknown_key(flag.key, section_name)};
    }
    if (auto error = set_text(result, *k, flag.value, std::move(at))) return *error;
  }
  if (auto error = check_together(result)) return *error;
  fill_in(result.values);
  return result;
}

sources process_sources(std::optional<std::string> file, std::vector<flag_value> flags) {
  sources from{std::move(file), {}, std::move(flags)};
  constexpr std::string_view prefix = "BARAZA_";
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (!text.starts_with(prefix) || equals == std::string_view::npos) continue;
    const std::string name{text.substr(0, equals)}, content{text.substr(equals + 1)};
    if (name == "BARAZA_CONFIG") {
      if (!from.file && !content.empty()) from.file = content;
    } else {
      from.environment.emplace_back(name, content);
    }
  }
  std::sort(from.environment.begin(), from.environment.end());  // the same error each time
  return from;
}

}  // namespace baraza::config
