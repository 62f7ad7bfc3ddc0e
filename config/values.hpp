// One value of one key: read from text, checked, shown. No file, environment or flag is known here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/keys.hpp"

namespace baraza::config {

using value = std::variant<integer, bool, std::string, std::vector<std::string>>;

/// What `k` accepts, for people: "a whole number from 1 to 64 (threads)".
std::string allowed(const key& k);

/// Reads an environment variable's or a flag's text as the type of `k`; lists are separated by
/// commas.
/// @returns nothing if the text is not of that type; the bounds are check's matter
std::optional<value> parse(const key& k, std::string_view text);

/// Whether `v` is of the type of `k` and within its bounds.
/// @returns what is wrong with it, as in "is 99"; nothing if it is allowed
std::optional<std::string> check(const key& k, const value& v);

/// Writes a checked value into `into`.
void assign(const key& k, const value& v, settings& into);
value get(const key& k, const settings& from);

/// As TOML writes it: 5, true, "text", ["a", "b"].
std::string to_toml(const value& v);
std::string to_json(const value& v);
/// The value with passwords replaced by ***, if `k` may hold one.
value masked(const key& k, const value& v);
/// A connection URL with its password, in either place that libpq allows, replaced by ***.
std::string mask_url(std::string_view url);

/// `raw` fit for one line: control characters as \xNN, quoted, cut after shown_bytes_max.
std::string shown(std::string_view raw);

struct address {
  std::string host;  // numeric, without brackets
  int port = 0;
  bool v6 = false;
};
/// Splits "127.0.0.1:7777" or "[::1]:7777"; nothing if it is not numeric ADDR:PORT.
std::optional<address> parse_address(std::string_view text);
bool is_loopback(const address& a);
bool is_any(const address& a);

}  // namespace baraza::config
