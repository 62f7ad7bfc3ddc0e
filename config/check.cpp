#include "config/check.hpp"

#include <string>

#include "config/values.hpp"

namespace baraza::config {
namespace {

/// Somebody wrote `a` or `b`: the one with the higher precedence, later in the file, is where the
/// mistake was made last.
const std::string& more_deliberate(const loaded& all, const std::string& a, const std::string& b) {
  const auto& x = all.origins.at(a);
  const auto& y = all.origins.at(b);
  if (x.from != y.from) return x.from > y.from ? a : b;
  return x.line > y.line ? a : b;
}

load_error clash(const loaded& all, const std::string& a, const std::string& b,
                 const std::string& what, const std::string& allowed) {
  const auto& at = more_deliberate(all, a, b);
  const auto& other = at == a ? b : a;
  return {to_string(all.origins.at(at)) + ": " + at + " " + what + " " + other + " (" +
          to_string(all.origins.at(other)) + "); allowed: " + allowed};
}

bool overlap(const address& a, const address& b) {
  if (a.port != b.port || a.port == 0) return false;
  if (is_any(a) || is_any(b)) return true;
  return a.v6 == b.v6 && a.host == b.host;
}

}  // namespace

std::optional<load_error> check_together(const loaded& all) {
  const auto& s = all.values;
  const auto http = parse_address(s.http.listen), admin = parse_address(s.admin.listen);
  if (http && admin && overlap(*http, *admin))
    return clash(all, "http.listen", "admin.listen",
                 "takes the same port " + std::to_string(http->port) + " as",
                 "two different ports");
  if (admin && !is_loopback(*admin) && s.admin.token_file.empty())
    return clash(all, "admin.listen", "admin.token_file",
                 "is not a loopback address and there is no",
                 "a loopback address, or a file with a bearer token");
  if (s.http.tls_certificate_file.empty() != s.http.tls_key_file.empty()) {
    const bool key_missing = s.http.tls_key_file.empty();
    return clash(all, key_missing ? "http.tls_certificate_file" : "http.tls_key_file",
                 key_missing ? "http.tls_key_file" : "http.tls_certificate_file", "is set without",
                 "both or neither");
  }
  if (s.game.lobby_window > s.game.lobby_window_max)
    return clash(all, "game.lobby_window", "game.lobby_window_max", "does not fit",
                 "a window that is at most its maximum");
  if (s.auth.access_ttl_s > s.auth.refresh_idle_s)
    return clash(all, "auth.access_ttl_s", "auth.refresh_idle_s", "does not fit",
                 "an access token that ends before an idle login does");
  if (s.auth.refresh_idle_s > s.auth.absolute_h * 3600)
    return clash(all, "auth.refresh_idle_s", "auth.absolute_h", "does not fit",
                 "an idle time within the absolute one");
  return std::nullopt;
}

}  // namespace baraza::config
