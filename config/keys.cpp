#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace baraza::config {
namespace {

// NOLINTBEGIN(bugprone-macro-parentheses): types and members take none
// A row's accessor is a plain function, so that the table is constant data.
#define AT(TYPE, MEMBER) [](settings& s) -> TYPE& { return s.MEMBER; }
#define INT(MEMBER, MIN, MAX) \
  whole { MIN, MAX, AT(integer, MEMBER) }
#define BOOL(MEMBER) \
  truth { AT(bool, MEMBER) }
#define TEXT(MEMBER, FORM, EMPTY) \
  text { text_form::FORM, EMPTY, "", AT(std::string, MEMBER) }
#define CHOICE(MEMBER, WORDS) \
  text { text_form::choice, false, WORDS, AT(std::string, MEMBER) }
#define LIST(MEMBER, FORM, EMPTY, WORDS) \
  text_list { text_form::FORM, EMPTY, WORDS, AT(std::vector<std::string>, MEMBER) }

// NOLINTEND(bugprone-macro-parentheses)

constexpr bool optional = true, required = false;

constexpr std::array all_sections{
    section{"node", "This process."},
    section{"storage", "The one durable truth: an embedded SQLite store or PostgreSQL."},
    section{"http",
            "The players' port: HTTP and WebSocket, and the limits on what a client may ask."},
    section{"admin", "The operators' port: health, metrics, administration."},
    section{"cluster", "What all nodes of one cluster share."},
    section{"game", "Matches, wallets and the lobby."},
    section{"auth", "Logins and passwords."},
    section{"log", "The log of this process."},
    section{"runtime", "Threads of the actor system."},
};

constexpr std::array all_keys{
    key{"node", "name", TEXT(node.name, name, optional), "",
        "Name of this node, unique in its cluster. Empty: the machine's host name."},
    key{"node", "data_dir", TEXT(node.data_dir, path, optional), "",
        "Folder for everything this node keeps. Empty: baraza in $XDG_DATA_HOME, or in "
        "~/.local/share."},
    key{"node", "roles", LIST(node.roles, choice, required, "edge game payments"), "",
        "What this node does: edge keeps players' sockets, game owns tables and wallets."},
    key{"node", "zone", TEXT(node.zone, name, optional), "",
        "Failure zone: shards are spread over zones. Empty: none."},
    key{"node", "weight", INT(node.weight, 0, 100), "shares",
        "Share of the shards against other nodes; 0 owns none."},

    key{"storage", "url", TEXT(storage.url, store_url, optional), "",
        "sqlite:PATH or postgresql://USER@HOST/DATABASE. Empty: the embedded store in "
        "node.data_dir. A primary and its standbys: HOST1:PORT,HOST2:PORT with "
        "?target_session_attrs=read-write. Keep a password out of here: libpq reads it from the "
        "file named by ?passfile=PATH.",
        true},
    key{"storage", "writers", INT(storage.writers, 1, 16), "connections",
        "Connections that commit; an entity keeps to one of them."},
    key{"storage", "readers", INT(storage.readers, 1, 32), "connections", "Connections that read."},
    key{"storage", "allow_loss", BOOL(storage.allow_loss), "",
        "Start although the store may forget acknowledged commits (asynchronous standby, "
        "synchronous_commit off), or is known to have forgotten some, which accepts that. Never "
        "for real money."},

    key{"http", "listen", TEXT(http.listen, address, required), "",
        "Where players connect. Port 0 takes a free port."},
    key{"http", "threads", INT(http.threads, 1, 64), "threads", "Threads that serve sockets."},
    key{"http", "hosts", LIST(http.hosts, host, required, ""), "",
        "Host headers that are answered, without port; all others are refused."},
    key{"http", "origins", LIST(http.origins, origin, optional, ""), "",
        "Web origins whose pages may connect. Empty: only pages of the hosts themselves."},
    key{"http", "trusted_proxies", LIST(http.trusted_proxies, network, optional, ""), "",
        "Proxies whose X-Forwarded-For is believed, so that limits by address count their clients. "
        "Empty: none."},
    key{"http", "frame_bytes", INT(http.frame_bytes, 1024, 65536), "bytes",
        "Largest WebSocket message of a client; a larger one closes the connection (1009)."},
    key{"http", "inflight", INT(http.inflight, 1, 8), "requests",
        "Unanswered requests a session may have; one more is refused."},
    key{"http", "outbox_frames", INT(http.outbox_frames, 8, 256), "frames",
        "Frames that wait for a slow reader before it is closed (it can resume)."},
    key{"http", "sockets_per_address", INT(http.sockets_per_address, 1, 1024), "sockets",
        "Open sockets from one address. Mobile carriers put many players behind one."},
    key{"http", "sessions_total", INT(http.sessions_total, 1, 65536), "sessions",
        "Players' open connections on this node; each needs a file descriptor."},
    key{"http", "idle_timeout_s", INT(http.idle_timeout_s, 5, 60), "s",
        "A session without any frame or pong for this long is closed; it is pinged at half."},
    key{"http", "handshake_timeout_s", INT(http.handshake_timeout_s, 1, 5), "s",
        "Time for each step of a connection: TLS handshake, HTTP header, WebSocket handshake, "
        "hello."},
    key{"http", "requests_per_s", INT(http.requests_per_s, 1, 10000), "requests/s",
        "HTTP requests from one address, four times as many at once; beyond: 429."},
    key{"http", "messages_per_s", INT(http.messages_per_s, 1, 1000), "messages/s",
        "WebSocket messages from one session, twice as many at once; beyond: refused, then "
        "closed."},
    key{"http", "joins_per_s", INT(http.joins_per_s, 1, 20), "joins/s",
        "lobby.join of one account over all its connections to this node, twice as many at once; "
        "beyond: refused."},
    key{"http", "stakes_per_s", INT(http.stakes_per_s, 1, 20), "actions/s",
        "Actions of one account that take or pay stakes (table.open, table.concede), likewise."},
    key{"http", "tls_certificate_file", TEXT(http.tls_certificate_file, path, optional), "",
        "Certificate chain (PEM). Empty: no TLS here, so put a proxy that has it in front. SIGHUP "
        "makes a running node read it and the key again; if they do not fit together, the earlier "
        "ones stay."},
    key{"http", "tls_key_file", TEXT(http.tls_key_file, path, optional), "",
        "Private key (PEM) of the certificate."},

    key{"admin", "listen", TEXT(admin.listen, address, required), "",
        "Where operators and monitoring connect. Any address but loopback needs token_file."},
    key{"admin", "token_file", TEXT(admin.token_file, path, optional), "",
        "File with the bearer token that /metrics and /admin ask for. Empty: none, on loopback "
        "only."},

    key{"cluster", "name", TEXT(cluster.name, name, required), "",
        "Name of the cluster; nodes of another one are refused."},
    key{"cluster", "listen", TEXT(cluster.listen, address, optional), "",
        "Where other nodes connect; connections to them leave from it, too. Port 0 takes a free "
        "port. Empty: this node is alone. Needs PostgreSQL."},
    key{"cluster", "advertise", TEXT(cluster.advertise, address, optional), "",
        "Address that other nodes dial. Empty: cluster.listen."},
    key{"cluster", "ca_file", TEXT(cluster.ca_file, path, optional), "",
        "Certificates of the cluster's own authority (PEM). Only on loopback may nodes connect "
        "without."},
    key{"cluster", "certificate_file", TEXT(cluster.certificate_file, path, optional), "",
        "This node's certificate (PEM), for the name in node.name."},
    key{"cluster", "private_key_file", TEXT(cluster.private_key_file, path, optional), "",
        "Private key (PEM) of that certificate."},
    key{"cluster", "lease_ms", INT(cluster.lease_ms, 2000, 60000), "ms",
        "A node that cannot renew for this long commits nothing more; renewed five times as "
        "often."},
    key{"cluster", "shards", INT(cluster.shards, 1, 65536), "shards",
        "Shards of all entities. Fixed when the store is created; another number refuses to "
        "start."},
    key{"cluster", "key_file", TEXT(cluster.key_file, path, optional), "",
        "The key that encrypts server seeds before their reveal: the same file on every node. "
        "Empty: cluster.key in node.data_dir, made at the first start."},

    key{"game", "rake_bp", INT(game.rake_bp, 0, 1000), "bp",
        "The house's share of a pot in basis points: 250 = 2.5 %."},
    key{"game", "ready_timeout_s", INT(game.ready_timeout_s, 3, 60), "s",
        "Time to answer a ready check."},
    key{"game", "reveal_timeout_s", INT(game.reveal_timeout_s, 5, 120), "s",
        "Time for a player's seed before the match starts."},
    key{"game", "buy_in_timeout_s", INT(game.buy_in_timeout_s, 2, 120), "s",
        "Time in which all stakes must arrive, else all go back."},
    key{"game", "passivate_after_s", INT(game.passivate_after_s, 5, 3600), "s",
        "An entity idle for this long leaves memory."},
    key{"game", "demo_grant_minor", INT(game.demo_grant_minor, 0, 100000000), "1/100 DEMO",
        "Demo money of a new player: 100000 = 1000.00 DEMO."},
    key{"game", "house_bot", BOOL(game.house_bot), "", "Run a bot that plays whoever waits alone."},
    key{"game", "lobby_window", INT(game.lobby_window, 1, 4000), "rating points",
        "Largest rating difference of a pair at first."},
    key{"game", "lobby_widen_per_s", INT(game.lobby_widen_per_s, 0, 1000), "rating points/s",
        "Growth of the window while a player waits."},
    key{"game", "lobby_window_max", INT(game.lobby_window_max, 1, 4000), "rating points",
        "The window grows no further than this."},
    key{"game", "lobby_grace_s", INT(game.lobby_grace_s, 0, 120), "s",
        "A player who lost the connection keeps the place in the queue for this long."},

    key{"auth", "access_ttl_s", INT(auth.access_ttl_s, 30, 3600), "s", "Life of an access token."},
    key{"auth", "refresh_idle_s", INT(auth.refresh_idle_s, 60, 43200), "s",
        "A login unused for this long ends."},
    key{"auth", "absolute_h", INT(auth.absolute_h, 1, 72), "h",
        "A login ends after this time however much it is used."},
    key{"auth", "argon2_ops", INT(auth.argon2_ops, 2, 10), "passes",
        "Passes of argon2id over its memory (OWASP: at least 2 at 19 MiB). A stored hash of "
        "another cost is renewed at the next login."},
    key{"auth", "argon2_memory_kib", INT(auth.argon2_memory_kib, 19456, 1048576), "KiB",
        "Memory of one password hash; times auth.threads at the worst."},
    key{"auth", "threads", INT(auth.threads, 1, 16), "threads",
        "Password hashes computed at once."},
    key{"auth", "queue", INT(auth.queue, 1, 256), "logins",
        "Logins that wait for a hash; beyond: 503."},
    key{"auth", "breached_passwords_file", TEXT(auth.breached_passwords_file, path, optional), "",
        "Passwords that nobody may choose, one a line: as typed, or their SHA-256 (64 hexadecimal "
        "digits) or SHA-1 (40), either with :COUNT behind it. At most 10 million. Read at start. "
        "Empty: none is refused."},
    key{"auth", "pepper_file", TEXT(auth.pepper_file, path, optional), "",
        "Keys mixed into passwords, one a line: ID, a space, 64 hexadecimal digits. The first is "
        "for new hashes, the others are accepted; \"none\" as the first line: no key for new ones "
        "yet. The same file on every node, not readable by everybody. Empty: none."},

    key{"log", "level", CHOICE(log.level, "trace debug info warn error off"), "",
        "The least serious level that is written."},
    key{"log", "format", CHOICE(log.format, "text json"), "",
        "One line an event: text for people, json for machines."},
    key{"log", "file", TEXT(log.file, path, optional), "",
        "File the log is appended to. Empty: standard error."},
    key{"log", "queue_lines", INT(log.queue_lines, 64, 65536), "lines",
        "Lines that wait for a slow disk; beyond, the oldest are dropped and counted."},

    key{"runtime", "scheduler_threads", INT(runtime.scheduler_threads, 0, 64), "threads",
        "Threads that run actors. 0: one for two cores."},
};

#undef AT
#undef INT
#undef BOOL
#undef TEXT
#undef CHOICE
#undef LIST

}  // namespace

std::string key::full_name() const { return std::string{section} + "." + std::string{name}; }

std::string key::environment() const {
  auto variable = "BARAZA_" + std::string{section} + "_" + std::string{name};
  for (auto& c : variable) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

std::span<const key> keys() { return all_keys; }
std::span<const section> sections() { return all_sections; }

const key* find_key(std::string_view section, std::string_view name) {
  const auto* found = std::find_if(all_keys.begin(), all_keys.end(), [&](const key& k) {
    return k.section == section && k.name == name;
  });
  return found == all_keys.end() ? nullptr : found;
}

const key* find_key(std::string_view full_name) {
  const auto dot = full_name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  return find_key(full_name.substr(0, dot), full_name.substr(dot + 1));
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Restricted Damerau-Levenshtein on three rows. Keys are short; what a file holds is cut first.
  a = a.substr(0, 64);
  b = b.substr(0, 64);
  std::array<std::array<std::size_t, 65>, 3> rows{};
  std::iota(rows[0].begin(), rows[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& now = rows[i % 3];
    const auto& last = rows[(i + 2) % 3];
    const auto& before = rows[(i + 1) % 3];
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], before[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

const key& nearest_key(std::string_view full_name) {
  const auto dot = full_name.rfind('.');
  const auto bare = dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
  const auto section =
      dot == std::string_view::npos ? std::string_view{} : full_name.substr(0, dot);
  const auto distance = [&](const key& k) {
    // A key in the wrong section is one and a half edits away: people forget the header more often
    // than the name. Among equals the own section wins.
    const auto by_full = 2 * edit_distance(full_name, k.full_name());
    const auto by_bare = 2 * edit_distance(bare, k.name) + (k.section == section ? 0 : 3);
    return std::min(by_full, by_bare) * 2 + (k.section == section ? 0 : 1);
  };
  return *std::min_element(all_keys.begin(), all_keys.end(),
                           [&](const key& a, const key& b) { return distance(a) < distance(b); });
}

}  // namespace baraza::config
