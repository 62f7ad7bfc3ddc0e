// The table of settings: every row is sound, names are unique, near misses find their key.
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "config/keys.hpp"
#include "config/values.hpp"

using namespace baraza::config;

TEST_CASE("every key has a section, documentation, and a default within its bounds") {
  const settings defaults;
  std::set<std::string> names, variables;
  for (const auto& k : keys()) {
    CAPTURE(k.full_name());
    CHECK(names.insert(k.full_name()).second);
    CHECK(variables.insert(k.environment()).second);
    CHECK(k.doc.size() > 10);
    CHECK(k.doc.ends_with("."));
    CHECK_FALSE(check(k, get(k, defaults)).has_value());
    CHECK(find_key(k.full_name()) == &k);
    bool known = false;
    for (const auto& s : sections()) known = known || s.name == k.section;
    CHECK(known);
    if (const auto* t = std::get_if<whole>(&k.type)) {
      CHECK(t->min < t->max);
      CHECK_FALSE(k.unit.empty());
    }
  }
  CHECK(keys().size() > 40);
}

TEST_CASE("each key reads and writes its own member") {
  settings s;
  for (const auto& k : keys()) {
    CAPTURE(k.full_name());
    const auto before = get(k, s);
    value changed = before;
    if (auto* n = std::get_if<integer>(&changed)) *n += 987654321;
    if (auto* b = std::get_if<bool>(&changed)) *b = !*b;
    if (auto* t = std::get_if<std::string>(&changed)) *t = "changed " + k.full_name();
    if (auto* l = std::get_if<std::vector<std::string>>(&changed)) l->push_back(k.full_name());
    assign(k, changed, s);
    REQUIRE(get(k, s) == changed);
    for (const auto& other : keys())
      if (&other != &k) REQUIRE(get(other, s) == get(other, settings{}));
    assign(k, before, s);
  }
}

TEST_CASE("a misspelt key finds its neighbour") {
  struct row {
    std::string_view written, meant;
  };
  const row rows[] = {
      {"http.lsiten", "http.listen"},
      {"http.thread", "http.threads"},
      {"htpp.listen", "http.listen"},
      {"threads", "http.threads"},
      {"auth.thread", "auth.threads"},
      {"game.rake", "game.rake_bp"},
      {"http.shards", "cluster.shards"},
      {"storage.uri", "storage.url"},
      {"log.levle", "log.level"},
      {"admin.litsen", "admin.listen"},
      {"server.http.listen", "http.listen"},
      {"passivate_after", "game.passivate_after_s"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.written);
    CHECK(nearest_key(r.written).full_name() == r.meant);
  }
}

TEST_CASE("the edit distance counts insertions, deletions, substitutions and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("listen", "listen") == 0);
  CHECK(edit_distance("listen", "lsiten") == 1);
  CHECK(edit_distance("thread", "threads") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance(std::string(100000, 'x'), "x") == 63);  // cut, not computed
}

TEST_CASE("no password of a connection URL is ever shown") {
  struct row {
    std::string_view url, masked;
  };
  const row rows[] = {
      {"sqlite:/var/lib/baraza/baraza.db", "sqlite:/var/lib/baraza/baraza.db"},
      {"postgresql://h/db", "postgresql://h/db"},
      {"postgresql://u@h/db", "postgresql://u@h/db"},
      {"postgresql://u@h:5432/db", "postgresql://u@h:5432/db"},
      {"postgresql://u:hunter2@h:5432/db", "postgresql://u:***@h:5432/db"},
      {"postgresql://u:hun@ter2@h/db", "postgresql://u:***@h/db"},
      {"postgresql://u:hun/ter?2@h/db", "postgresql://u:***@h/db"},
      {"postgresql://u@h/db?password=hunter2", "postgresql://u@h/db?password=***"},
      {"postgresql://h/db?password=hunter2&user=u", "postgresql://h/db?password=***&user=u"},
      {"postgresql://h/db?a=1&sslpassword=hunter2&password=hunter2",
       "postgresql://h/db?a=1&sslpassword=***&password=***"},
  };
  for (const auto& r : rows) CHECK(mask_url(r.url) == r.masked);
}

TEST_CASE("an address is numeric ADDR:PORT") {
  for (auto good : {"127.0.0.1:7777", "0.0.0.0:0", "[::1]:65535", "[::]:80"}) {
    CAPTURE(good);
    CHECK(parse_address(good).has_value());
  }
  for (auto bad : {"", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                   "127.0.0.1:+1", "127.0.0.1:0x50", "localhost:80", "::1:80", "[::1]", "[]:80",
                   "256.0.0.1:80", "127.1:80", "127.0.0.1:80 ", "[127.0.0.1]:80"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_address(bad).has_value());
  }
  CHECK(is_loopback(*parse_address("127.0.0.2:1")));
  CHECK(is_loopback(*parse_address("[::1]:1")));
  CHECK_FALSE(is_loopback(*parse_address("192.0.2.1:1")));
  CHECK(is_any(*parse_address("[::]:1")));
}
