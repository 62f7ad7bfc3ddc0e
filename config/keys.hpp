// The table of all settings: one row a key. Loading, checking, printing, the reference file and the
// documentation come from it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "config/settings.hpp"

namespace baraza::config {

/// What a text must look like; `check` in values.hpp enforces it.
enum class text_form : std::uint8_t {
  path,       // file or folder; empty where the key says what that means
  name,       // 1 … 64 letters, digits, '-', '_', '.'
  address,    // numeric ADDR:PORT
  store_url,  // sqlite:PATH or postgresql://…
  host,       // a Host header without its port
  origin,     // scheme://host[:port]
  network,    // an IP address or ADDR/BITS
  choice,     // one of the row's words
};

struct whole {
  integer min, max;  // hard: no source may go beyond
  integer& (*at)(settings&);
};
struct truth {
  bool& (*at)(settings&);
};
struct text {
  text_form form;
  bool may_be_empty;
  std::string_view words;  // for choice: "json text"
  std::string& (*at)(settings&);
};
struct text_list {
  text_form form;
  bool may_be_empty;
  std::string_view words;
  std::vector<std::string>& (*at)(settings&);
};

struct key {
  std::string_view section, name;
  std::variant<whole, truth, text, text_list> type;
  std::string_view unit;  // "s", "bytes", …; empty for texts
  std::string_view doc;   // one or two sentences
  bool secret = false;    // may hold a password: never shown unmasked

  [[nodiscard]] std::string full_name() const;    // "http.listen"
  [[nodiscard]] std::string environment() const;  // "BARAZA_HTTP_LISTEN"
};

struct section {
  std::string_view name, doc;
};

std::span<const key> keys();  // in the order of the reference file
std::span<const section> sections();
const key* find_key(std::string_view section, std::string_view name);
const key* find_key(std::string_view full_name);

/// The known key that is fewest edits away from `full_name`, by its full or its bare name.
const key& nearest_key(std::string_view full_name);
/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace baraza::config
