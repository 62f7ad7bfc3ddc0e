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

std::optional<load_error> check_cluster(const loaded& all) {
  const auto& s = all.values;
  const auto nodes = parse_address(s.cluster.listen);
  if (!nodes) return std::nullopt;
  const auto http = parse_address(s.http.listen), admin = parse_address(s.admin.listen);
  if (http && overlap(*http, *nodes))
    return clash(all, "cluster.listen", "http.listen", "takes the same port as",
                 "two different ports");
  if (admin && overlap(*admin, *nodes))
    return clash(all, "cluster.listen", "admin.listen", "takes the same port as",
                 "two different ports");
  if (!s.storage.url.starts_with("postgres"))
    return clash(all, "cluster.listen", "storage.url", "does not fit",
                 "several nodes on one PostgreSQL: postgresql://USER@HOST/DATABASE");
  if (is_any(*nodes) && s.cluster.advertise.empty())
    return clash(all, "cluster.listen", "cluster.advertise", "is every address, without",
                 "an address of this machine, or one that others dial");
  const int files = !s.cluster.ca_file.empty() + !s.cluster.certificate_file.empty() +
                    !s.cluster.private_key_file.empty();
  if (files == 0 && !is_loopback(*nodes))
    return clash(all, "cluster.listen", "cluster.ca_file",
                 "is not a loopback address and there is no",
                 "a loopback address, or certificates of `baraza cluster certs`");
  if (files != 0 && files != 3)
    return clash(all, s.cluster.ca_file.empty() ? "cluster.certificate_file" : "cluster.ca_file",
                 s.cluster.ca_file.empty()            ? "cluster.ca_file"
                 : s.cluster.certificate_file.empty() ? "cluster.certificate_file"
                                                      : "cluster.private_key_file",
                 "is set without",
                 "cluster.ca_file, certificate_file and private_key_file, or none");
  return std::nullopt;
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
  if (auto error = check_cluster(all)) return error;
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
