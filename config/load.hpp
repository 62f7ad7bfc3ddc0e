// Settings from a TOML file, the environment and flags, in rising precedence, checked against the
// table of keys.hpp.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace baraza::config {

/// A flag that sets a key: --http 0.0.0.0:80 is {"http.listen", "0.0.0.0:80", "--http"}.
struct flag_value {
  std::string key, value, flag;
};

struct sources {
  std::optional<std::string> file;  // must exist if given
  std::vector<std::pair<std::string, std::string>>
      environment;                // variables that start with BARAZA_
  std::vector<flag_value> flags;  // a later one of a key wins
};

/// Where a value came from.
struct origin {
  enum class kind : std::uint8_t { standard, file, environment, flag } from = kind::standard;
  std::string where;  // file, variable or flag
  int line = 0;       // of a file
};
std::string to_string(
    const origin& o);  // "baraza.toml:3", "BARAZA_HTTP_LISTEN", "--http", "default"

struct loaded {
  settings values;
  std::map<std::string, origin, std::less<>> origins;  // by full key; every key is there
};

/// One line, without line break: where, key, what is wrong, what is allowed.
struct load_error {
  std::string line;
};

/// Reads all sources, fills in what the machine decides (node.name, node.data_dir, storage.url,
/// cluster.key_file) and checks single values and their combination. Stops at the first error, in
/// file order.
std::variant<loaded, load_error> load(const sources& from);

/// The BARAZA_… variables of this process; adds the file named by BARAZA_CONFIG unless `file` is
/// given already.
sources process_sources(std::optional<std::string> file, std::vector<flag_value> flags);

/// What exit code a command ends with when settings cannot be loaded.
inline constexpr int exit_usage = 2;

}  // namespace baraza::config
