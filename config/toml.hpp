// A TOML file as a flat list of entries in file order. The only user of toml++, whose templates
// cost seconds to compile.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/values.hpp"

namespace baraza::config {

struct toml_entry {
  std::string section, name;  // section is empty at the top level; nested tables give "a.b"
  std::optional<value>
      content;       // nothing for types that no setting has: floats, dates, mixed lists
  std::string type;  // for people: "a string", "a float", …
  int line = 0;
};
struct toml_error {
  std::string what;
  int line = 0;  // 0: the file as a whole
};

std::variant<std::vector<toml_entry>, toml_error> parse_toml(const std::string& path);

}  // namespace baraza::config
