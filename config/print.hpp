// Settings as people read them: the effective values, the reference file, the documentation.
#pragma once

#include <string>

#include "config/load.hpp"

namespace baraza::config {

/// One line a key: value, and where it came from. Passwords are masked.
std::string effective_text(const loaded& all);
/// One object: {"http.listen": {"value": …, "unit": …, "from": "file", "where": "baraza.toml:3"},
/// …}
std::string effective_json(const loaded& all);
/// The text of config/baraza.toml: every key with its documentation, bounds and default. Loading it
/// changes nothing.
std::string reference_toml();
/// The text of docs/configuration.md.
std::string reference_markdown();

}  // namespace baraza::config
