#include "config/toml.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "config/limits.hpp"

namespace baraza::config {
namespace {

/// The whole file, or why not, in the system's words. Reads at most one byte beyond the limit, so
/// that a device cannot feed us for ever.
std::variant<std::string, toml_error> read_all(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const auto failed = [&] {
    const int why = errno;
    if (file >= 0) ::close(file);
    return toml_error{std::string{"cannot be read: "} + std::generic_category().message(why), 0};
  };
  if (file < 0) return failed();
  struct stat about {};
  if (::fstat(file, &about) != 0) return failed();
  if (!S_ISREG(about.st_mode)) {
    ::close(file);
    return toml_error{"cannot be read: it is not a regular file", 0};
  }
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() <= file_bytes_max) {
    const auto got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  if (text.size() > file_bytes_max)
    return toml_error{"is larger than " + std::to_string(file_bytes_max) + " bytes", 0};
  return text;
}

std::string type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a float";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

/// `node` as one of the types that settings have; notes in `type` what else it is.
std::optional<value> convert(const toml::node& node, std::string& type) {
  type = type_name(node);
  if (const auto* n = node.as_integer()) return value{integer{n->get()}};
  if (const auto* b = node.as_boolean()) return value{b->get()};
  if (const auto* s = node.as_string()) {
    // Texts are repeated in errors as they are: the type alone says too little.
    type = "the string " + shown(s->get());
    return value{s->get()};
  }
  if (const auto* array = node.as_array()) {
    std::vector<std::string> list;
    for (const auto& element : *array) {
      const auto* s = element.as_string();
      if (s == nullptr) {
        type = "a list with " + type_name(element) + " in it";
        return std::nullopt;
      }
      list.push_back(s->get());
    }
    return value{std::move(list)};
  }
  return std::nullopt;
}

void flatten(const toml::table& table, const std::string& section, int depth,
             std::vector<toml_entry>& into) {
  constexpr int depth_max = 8;  // settings have one level; deeper ones are unknown anyway
  for (const auto& [name, node] : table) {
    const auto line = static_cast<int>(node.source().begin.line);
    const std::string bare{name.str()};
    const auto* inner = node.as_table();
    // An empty unknown section is as much a mistake as a full one.
    const bool known = std::any_of(sections().begin(), sections().end(), [&](const auto& s) {
      return section.empty() && s.name == bare;
    });
    if (inner != nullptr && (known || !inner->empty()) && depth < depth_max) {
      flatten(*inner, section.empty() ? bare : section + "." + bare, depth + 1, into);
      continue;
    }
    toml_entry entry{section, bare, std::nullopt, "", line};
    entry.content = convert(node, entry.type);
    into.push_back(std::move(entry));
  }
}

/// The parser's sentence on one line.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  constexpr std::size_t sentence_bytes_max = 300;
  if (out.size() > sentence_bytes_max) out = out.substr(0, sentence_bytes_max) + "…";
  return out;
}

}  // namespace

std::variant<std::vector<toml_entry>, toml_error> parse_toml(const std::string& path) {
  auto text = read_all(path);
  if (auto* error = std::get_if<toml_error>(&text)) return *error;
  const auto parsed = toml::parse(std::string_view{std::get<std::string>(text)});
  if (!parsed) {
    const auto& error = parsed.error();
    return toml_error{"is not TOML: " + one_line(error.description()) + "; allowed: key = value",
                      static_cast<int>(error.source().begin.line)};
  }
  std::vector<toml_entry> entries;
  flatten(parsed.table(), "", 0, entries);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return entries;
}

}  // namespace baraza::config
