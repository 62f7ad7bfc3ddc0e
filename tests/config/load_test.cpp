// Loading: precedence, and every error with its exact line. FILE in an expected line stands for the
// temporary file's name.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/values.hpp"
#include "temporary_file.hpp"

using namespace baraza::config;

namespace {

std::string error_of(const sources& from) {
  const auto result = load(from);
  const auto* error = std::get_if<load_error>(&result);
  return error != nullptr ? error->line : "";
}

std::string replace(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// The error of a file with this content, its name written as FILE.
std::string file_error(std::string_view content) {
  const temporary_folder folder;
  const auto file = folder.write("baraza.toml", content);
  return replace(error_of({file, {}, {}}), file, "FILE");
}

loaded load_good(const sources& from) {
  auto result = load(from);
  if (auto* error = std::get_if<load_error>(&result)) FAIL(error->line);
  return std::get<loaded>(std::move(result));
}

}  // namespace

TEST_CASE("a flag beats the environment, which beats the file, which beats the default") {
  const temporary_folder folder;
  const auto file = folder.write("baraza.toml",
                                 "[http]\nthreads = 2\ninflight = 2\nframe_bytes = 2048\n"
                                 "hosts = [\"a.example\", \"b.example\"]\n");
  const auto all = load_good({file,
                              {{"BARAZA_HTTP_THREADS", "3"}, {"BARAZA_HTTP_INFLIGHT", "3"}},
                              {{"http.threads", "4", "--set"}, {"http.threads", "5", "--set"}}});
  CHECK(all.values.http.threads == 5);
  CHECK(all.values.http.inflight == 3);
  CHECK(all.values.http.frame_bytes == 2048);
  CHECK(all.values.http.outbox_frames == 256);
  CHECK(all.values.http.hosts == std::vector<std::string>{"a.example", "b.example"});
  CHECK(to_string(all.origins.at("http.threads")) == "--set");
  CHECK(to_string(all.origins.at("http.inflight")) == "BARAZA_HTTP_INFLIGHT");
  CHECK(to_string(all.origins.at("http.frame_bytes")) == file + ":4");
  CHECK(to_string(all.origins.at("http.outbox_frames")) == "default");
  CHECK(all.origins.size() == keys().size());
}

TEST_CASE("texts from the environment become lists, booleans and numbers") {
  const auto all = load_good({std::nullopt,
                              {{"BARAZA_HTTP_HOSTS", "play.example.org, [::1]"},
                               {"BARAZA_HTTP_ORIGINS", ""},
                               {"BARAZA_GAME_HOUSE_BOT", "true"},
                               {"BARAZA_GAME_RAKE_BP", "0"}},
                              {}});
  CHECK(all.values.http.hosts == std::vector<std::string>{"play.example.org", "[::1]"});
  CHECK(all.values.http.origins.empty());
  CHECK(all.values.game.house_bot);
  CHECK(all.values.game.rake_bp == 0);
}

TEST_CASE("what the machine decides is filled in after loading") {
  const auto all = load_good({std::nullopt, {}, {{"node.data_dir", "/srv/b", "--data"}}});
  CHECK(all.values.storage.url == "sqlite:/srv/b/baraza.db");
  CHECK(all.values.cluster.key_file == "/srv/b/cluster.key");
  CHECK_FALSE(all.values.node.name.empty());
}

TEST_CASE("every mistake in a file ends in one line with its place") {
  struct row {
    std::string_view content, line;
  };
  const std::string_view http_keys =
      "listen, threads, hosts, origins, trusted_proxies, frame_bytes, inflight, outbox_frames, "
      "sockets_per_address, "
      "sessions_total, idle_timeout_s, handshake_timeout_s, requests_per_s, messages_per_s, "
      "joins_per_s, stakes_per_s, "
      "tls_certificate_file, tls_key_file";
  const std::string_view all_sections =
      "node, storage, http, admin, cluster, game, auth, log, runtime";
  const row rows[] = {
      // unknown
      {"[http]\n\nthread = 2\n",
       "FILE:3: http.thread: unknown key; allowed in [http]: HTTP_KEYS; nearest known key: "
       "http.threads"},
      {"[htpp]\nlisten = \"127.0.0.1:1\"\n",
       "FILE:2: htpp.listen: unknown key; allowed sections: SECTIONS; nearest known key: "
       "http.listen"},
      {"threads = 2\n",
       "FILE:1: threads: unknown key; allowed sections: SECTIONS; nearest known key: "
       "http.threads"},
      {"[http.tls]\nkey_file = \"k\"\n",
       "FILE:2: http.tls.key_file: unknown key; allowed sections: SECTIONS; nearest known key: "
       "http.tls_key_file"},
      {"[nothing]\n",
       "FILE:1: nothing: unknown key; allowed sections: SECTIONS; nearest known key: node.name"},
      {"[http]\n\"inf\\nlight\" = 1\n",
       "FILE:2: http.inf\\x0alight: unknown key; allowed in [http]: HTTP_KEYS; nearest known key: "
       "http.inflight"},
      // type
      {"[http]\nthreads = \"2\"\n",
       "FILE:2: http.threads is the string \"2\"; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nthreads = 2.0\n",
       "FILE:2: http.threads is a float; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nthreads = true\n",
       "FILE:2: http.threads is a boolean; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nthreads = 1979-05-27\n",
       "FILE:2: http.threads is a date or time; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nthreads = []\n",
       "FILE:2: http.threads is a list; allowed: a whole number from 1 to 64 (threads)"},
      {"[http.threads]\n",
       "FILE:1: http.threads is a table; allowed: a whole number from 1 to 64 (threads)"},
      {"[game]\nhouse_bot = 1\n",
       "FILE:2: game.house_bot is a whole number; allowed: true or false"},
      {"[http]\nlisten = 7777\n",
       "FILE:2: http.listen is a whole number; allowed: ADDR:PORT, as 127.0.0.1:7777 or "
       "[::1]:7777"},
      {"[http]\nhosts = \"a\"\n",
       "FILE:2: http.hosts is the string \"a\"; allowed: a list of 1 to 64 texts, each a host name "
       "or address without port"},
      {"[http]\nhosts = [\"a\", 1]\n",
       "FILE:2: http.hosts is a list with a whole number in it; allowed: a list of 1 to 64 texts, "
       "each a host name or address without port"},
      {"http = 3\n", "FILE:1: http is a whole number; allowed: a section, as [http]"},
      {"[[http]]\nthreads = 1\n",
       "FILE:1: http is a list with a table in it; allowed: a section, "
       "as [http]"},
      // range
      {"[http]\nthreads = 0\n",
       "FILE:2: http.threads is 0; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nthreads = -1\n",
       "FILE:2: http.threads is -1; allowed: a whole number from 1 to 64 (threads)"},
      {"[http]\nframe_bytes = 65537\n",
       "FILE:2: http.frame_bytes is 65537; allowed: a whole number from 1024 to 65536 (bytes)"},
      {"[http]\nthreads = 9223372036854775807\n",
       "FILE:2: http.threads is 9223372036854775807; allowed: a whole number from 1 to 64 "
       "(threads)"},
      {"[http]\nlisten = \"localhost:7777\"\n",
       "FILE:2: http.listen is \"localhost:7777\"; allowed: ADDR:PORT, as 127.0.0.1:7777 or "
       "[::1]:7777"},
      {"[http]\nlisten = \"127.0.0.1:65536\"\n",
       "FILE:2: http.listen is \"127.0.0.1:65536\"; allowed: ADDR:PORT, as 127.0.0.1:7777 or "
       "[::1]:7777"},
      {"[http]\nlisten = \"\"\n",
       "FILE:2: http.listen is empty; allowed: ADDR:PORT, as 127.0.0.1:7777 or [::1]:7777"},
      {"[http]\nhosts = []\n",
       "FILE:2: http.hosts is empty; allowed: a list of 1 to 64 texts, each a host name or "
       "address without port"},
      {"[http]\nhosts = [\"a\", \"b:80\"]\n",
       "FILE:2: http.hosts entry is \"b:80\"; allowed: a list of 1 to 64 texts, each a host name "
       "or address without port"},
      {"[http]\nhosts = [\"a\", \"a\"]\n",
       "FILE:2: http.hosts has \"a\" twice; allowed: a list of 1 to 64 texts, each a host name "
       "or address without port"},
      {"[node]\nrole = [\"edge\"]\n",
       "FILE:2: node.role: unknown key; allowed in [node]: name, data_dir, roles, zone, weight; "
       "nearest known key: node.roles"},
      {"[node]\nroles = [\"edge\", \"gate\"]\n",
       "FILE:2: node.roles entry is \"gate\"; allowed: a list of 1 to 64 texts, each one of "
       "\"edge\", \"game\", \"payments\""},
      {"[cluster]\nlisten = \"127.0.0.1:7780\"\n",
       "FILE:2: cluster.listen does not fit storage.url (default); allowed: several nodes on one "
       "PostgreSQL: postgresql://USER@HOST/DATABASE"},
      {"[storage]\nurl = \"postgresql://h/d\"\n[cluster]\nlisten = \"10.0.0.1:7780\"\n",
       "FILE:4: cluster.listen is not a loopback address and there is no cluster.ca_file "
       "(default); allowed: a loopback address, or certificates of `baraza cluster certs`"},
      {"[storage]\nurl = \"postgresql://h/d\"\n[cluster]\nlisten = "
       "\"10.0.0.1:7780\"\nca_file = \"ca\"\ncertificate_file = \"node\"\n",
       "FILE:5: cluster.ca_file is set without cluster.private_key_file (default); allowed: "
       "cluster.ca_file, certificate_file and private_key_file, or none"},
      {"[storage]\nurl = \"postgresql://h/d\"\n[cluster]\nlisten = \"127.0.0.1:7777\"\n",
       "FILE:4: cluster.listen takes the same port as http.listen (default); allowed: two "
       "different ports"},
      {"[http]\norigins = [\"play.example.org\"]\n",
       "FILE:2: http.origins entry is \"play.example.org\"; allowed: a list of 0 to 64 texts, each "
       "http://HOST[:PORT] or https://HOST[:PORT]"},
      {"[log]\nlevel = \"loud\"\n",
       "FILE:2: log.level is \"loud\"; allowed: one of \"trace\", \"debug\", \"info\", \"warn\", "
       "\"error\", \"off\""},
      {"[log]\nfile = \"a\\nb\"\n", "FILE:2: log.file is \"a\\x0ab\"; allowed: a path, or empty"},
      {"[node]\nname = \"two words\"\n",
       "FILE:2: node.name is \"two words\"; allowed: 1 to 64 letters, digits, '-', '_' or '.', or "
       "empty"},
      {"[storage]\nurl = \"mysql://u:hunter2@h/d\"\n",
       "FILE:2: storage.url has another form (not shown, it may hold a password); allowed: "
       "sqlite:PATH or postgresql://USER@HOST/DATABASE, or empty"},
      // the first in the file, whatever the order of the table
      {"[log]\nlevel = \"loud\"\n[http]\nthreads = 0\n",
       "FILE:2: log.level is \"loud\"; allowed: one of \"trace\", \"debug\", \"info\", \"warn\", "
       "\"error\", \"off\""},
      // together
      {"[http]\nlisten = \"127.0.0.1:7778\"\n",
       "FILE:2: http.listen takes the same port 7778 as admin.listen (default); allowed: two "
       "different ports"},
      {"[admin]\nlisten = \"127.0.0.1:90\"\n[http]\nlisten = \"0.0.0.0:90\"\n",
       "FILE:4: http.listen takes the same port 90 as admin.listen (FILE:2); allowed: two "
       "different ports"},
      {"[admin]\nlisten = \"0.0.0.0:90\"\n",
       "FILE:2: admin.listen is not a loopback address and there is no admin.token_file (default); "
       "allowed: a loopback address, or a file with a bearer token"},
      {"[http]\ntls_key_file = \"k\"\n",
       "FILE:2: http.tls_key_file is set without http.tls_certificate_file (default); allowed: "
       "both or neither"},
      {"[auth]\naccess_ttl_s = 3600\n",
       "FILE:2: auth.access_ttl_s does not fit auth.refresh_idle_s (default); allowed: an access "
       "token that ends before an idle login does"},
      {"[game]\nlobby_window = 2000\n",
       "FILE:2: game.lobby_window does not fit game.lobby_window_max (default); allowed: a window "
       "that is at most its maximum"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.content);
    const auto expected =
        replace(replace(std::string{r.line}, "HTTP_KEYS", http_keys), "SECTIONS", all_sections);
    CHECK(file_error(r.content) == expected);
  }
}

TEST_CASE("what is not TOML ends in one line with its place") {
  struct row {
    std::string_view content, begin;
  };
  const row rows[] = {
      {"[http]\nthreads = 0x\n", "FILE:2: is not TOML: "},
      {"[http]\nthreads = 99999999999999999999\n", "FILE:2: is not TOML: "},
      {"[http]\nthreads = 1\nthreads = 2\n", "FILE:3: is not TOML: "},
      {"[http]\nthreads =\n", "FILE:2: is not TOML: "},
      {"[http\nthreads = 1\n", "FILE:1: is not TOML: "},
      {"listen: 5\n", "FILE:1: is not TOML: "},
      {"[http]\nlisten = \"127\n", "FILE:2: is not TOML: "},
      {"\xff\xfe\x00", "FILE:1: is not TOML: "},
      {"{\"http\": {\"threads\": 1}}", "FILE:1: is not TOML: "},
  };
  for (const auto& r : rows) {
    CAPTURE(r.content);
    const auto line = file_error(r.content);
    CAPTURE(line);
    CHECK(line.starts_with(r.begin));
    CHECK(line.ends_with("; allowed: key = value"));
    CHECK(line.find('\n') == std::string::npos);
  }
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += '[';
  CHECK(file_error("a = " + deep).starts_with("FILE:1: is not TOML: "));
}

TEST_CASE("hexadecimal is a number in TOML, and still within bounds") {
  const temporary_folder folder;
  CHECK(load_good({folder.write("a", "[http]\nthreads = 0x10\n"), {}, {}}).values.http.threads ==
        16);
  CHECK(file_error("[http]\nthreads = 0xFF\n") ==
        "FILE:2: http.threads is 255; allowed: a whole number from 1 to 64 (threads)");
}

TEST_CASE("a file that cannot be read ends in one line") {
  const temporary_folder folder;
  const auto missing = (folder.path / "none.toml").string();
  CHECK(error_of({missing, {}, {}}) == missing + ": cannot be read: No such file or directory");
  const auto directory = folder.path.string();
  CHECK(error_of({directory, {}, {}}) == directory + ": cannot be read: it is not a regular file");
  CHECK(error_of({"", {}, {}}) == ": cannot be read: No such file or directory");
  CHECK(error_of({"/dev/zero", {}, {}}) == "/dev/zero: cannot be read: it is not a regular file");
  const auto large = folder.write("large.toml", std::string(1024 * 1024 + 1, '\n'));
  CHECK(error_of({large, {}, {}}) == large + ": is larger than 1048576 bytes");
}

TEST_CASE("a mistake in the environment or in a flag names the variable or the flag") {
  using vars = std::vector<std::pair<std::string, std::string>>;
  CHECK(error_of({std::nullopt, vars{{"BARAZA_HTTP_THREADS", "0x10"}}, {}}) ==
        "BARAZA_HTTP_THREADS: http.threads is \"0x10\"; allowed: a whole number from 1 to 64 "
        "(threads)");
  CHECK(error_of({std::nullopt, vars{{"BARAZA_HTTP_THREADS", "99999999999999999999"}}, {}}) ==
        "BARAZA_HTTP_THREADS: http.threads is \"99999999999999999999\"; allowed: a whole number "
        "from 1 to 64 (threads)");
  CHECK(error_of({std::nullopt, vars{{"BARAZA_GAME_HOUSE_BOT", "yes"}}, {}}) ==
        "BARAZA_GAME_HOUSE_BOT: game.house_bot is \"yes\"; allowed: true or false");
  CHECK(error_of({std::nullopt, vars{{"BARAZA_ADMIN_LSITEN", "1"}}, {}}) ==
        "BARAZA_ADMIN_LSITEN: unknown key; allowed in [admin]: listen, token_file; nearest known "
        "key: admin.listen (BARAZA_ADMIN_LISTEN)");
  CHECK(error_of({std::nullopt, vars{{"BARAZA_AMDIN_LISTEN", "1"}}, {}}) ==
        "BARAZA_AMDIN_LISTEN: unknown key; allowed sections: node, storage, http, admin, cluster, "
        "game, auth, log, runtime; nearest known key: admin.listen (BARAZA_ADMIN_LISTEN)");
  CHECK(error_of({std::nullopt, {}, {{"http.listen", "7777", "--http"}}}) ==
        "--http: http.listen is \"7777\"; allowed: ADDR:PORT, as 127.0.0.1:7777 or [::1]:7777");
  CHECK(error_of({std::nullopt, {}, {{"log.levle", "info", "--set"}}}) ==
        "--set: log.levle: unknown key; allowed in [log]: level, format, file, queue_lines; "
        "nearest known key: log.level");
  CHECK(error_of({std::nullopt, {}, {{"http.listen", "127.0.0.1:7778", "--http"}}}) ==
        "--http: http.listen takes the same port 7778 as admin.listen (default); allowed: two "
        "different ports");
}

TEST_CASE("variables of other programs are not mistakes") {
  load_good({std::nullopt,
             {{"BARAZA_DEPS", "/opt"},
              {"BARAZA_SERVICE_HOST", "10.0.0.1"},
              {"BARAZA_PORT_7777_TCP", "tcp://10.0.0.1:7777"},
              {"BARAZA_HTTP_SERVICE_HOST", "10.0.0.1"},
              {"BARAZA_HTTP_PORT", "tcp://10.0.0.1:7777"},
              {"BARAZA_", ""}},
             {}});
}

TEST_CASE("port 0 never clashes") {
  load_good(
      {std::nullopt,
       {},
       {{"http.listen", "127.0.0.1:0", "--http"}, {"admin.listen", "127.0.0.1:0", "--admin"}}});
}

TEST_CASE("the process's own variables are read, and BARAZA_CONFIG names the file") {
  setenv("BARAZA_CONFIG", "/from/the/environment.toml", 1);
  setenv("BARAZA_HTTP_THREADS", "3", 1);
  const auto from = process_sources(std::nullopt, {});
  CHECK(from.file == "/from/the/environment.toml");
  CHECK(process_sources("/from/a/flag.toml", {}).file == "/from/a/flag.toml");
  bool seen = false;
  for (const auto& [name, text] : from.environment) {
    seen = seen || (name == "BARAZA_HTTP_THREADS" && text == "3");
    CHECK(name != "BARAZA_CONFIG");
  }
  CHECK(seen);
  unsetenv("BARAZA_CONFIG");
  unsetenv("BARAZA_HTTP_THREADS");
}
