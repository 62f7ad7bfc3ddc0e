// Operators and a cluster of real processes: what they see, what they order, what is refused.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <fstream>

#include "cluster/local/http_get.hpp"
#include "http/client/fields.hpp"
#include "http/wire.hpp"
#include "tests/cluster/local_cluster.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::tests;
using namespace std::chrono_literals;
namespace fields = baraza::client::fields;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct outcome {
  int code = -1;
  std::string said;
};

/// A terminal in front of one node's admin port.
class desk {
 public:
  explicit desk(LocalCluster& at, std::string node, std::vector<std::string> more = {})
      : at_{at}, node_{std::move(node)}, more_{std::move(more)} {}

  outcome run(std::vector<std::string> words) {
    words.insert(words.end(), {"--admin", at_.admin(node_)});
    words.insert(words.end(), more_.begin(), more_.end());
    const auto [code, said] = at_.run(std::move(words));
    return {code, said};
  }
  /// MessagePack of what a command says with --json.
  std::string read(std::vector<std::string> words) {
    words.emplace_back("--json");
    const auto [code, said] = run(std::move(words));
    INFO(said);
    REQUIRE(code == 0);
    const auto out = http::wire::from_json(said.substr(0, said.find('\n')));
    REQUIRE(out);
    return *out;
  }
  /// Of one member.
  std::string member(const std::string& name, const char* field) {
    std::string out;
    fields::elements(fields::find(read({"node", "list"}), "members"), [&](std::string_view m) {
      if (fields::text(fields::find(m, "name")) != name) return;
      const auto value = fields::find(m, field);
      out = fields::text(value).empty() ? std::to_string(fields::number(value))
                                        : std::string{fields::text(value)};
    });
    return out;
  }
  /// How many shards each node has, and the first of them.
  std::map<std::string, std::pair<std::uint64_t, std::string>> owners() {
    std::map<std::string, std::pair<std::uint64_t, std::string>> out;
    const auto map = read({"shard", "map"});
    fields::elements(fields::find(map, "owners"), [&](std::string_view o) {
      const auto list = fields::text(fields::find(o, "shards"));
      out[std::string{fields::text(fields::find(o, "name"))}] = {
          fields::number(fields::find(o, "count")),
          std::string{list.substr(0, list.find_first_of(",-"))}};
    });
    return out;
  }
  bool owns(const std::string& name, unsigned shard) {
    bool out = false;
    const auto map = read({"shard", "map"});
    fields::elements(fields::find(map, "owners"), [&](std::string_view o) {
      if (fields::text(fields::find(o, "name")) != name) return;
      std::string list{fields::text(fields::find(o, "shards"))};
      for (std::size_t at = 0; at < list.size();) {
        char* end = nullptr;
        const auto first = std::strtoul(list.c_str() + at, &end, 10);
        const auto last = *end == '-' ? std::strtoul(end + 1, &end, 10) : first;
        out = out || (first <= shard && shard <= last);
        at = static_cast<std::size_t>(end - list.c_str()) + 1;
      }
    });
    return out;
  }

 private:
  LocalCluster& at_;
  const std::string node_;
  const std::vector<std::string> more_;
};

/// A few shards are enough to move, and moving few is quick.
LocalCluster::options small() {
  LocalCluster::options out;
  out.edges = 1;
  out.settings = {"cluster.shards=64"};
  return out;
}

std::string metrics(LocalCluster& at, const std::string& node) {
  const auto url = at.admin(node).substr(std::string{"http://"}.size());
  const auto colon = url.find(':');
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(colon + 1)));
  return cluster::local::http_get({{url.substr(0, colon), port, "/metrics"}}, 5s).front().body;
}

}  // namespace

TEST_CASE("a node drains under load and is undrained, and nothing acknowledged is lost",
          "[operators]") {
  LocalCluster cluster{small()};
  desk at{cluster, "edge-1"};
  const auto bots = cluster.load("edge-1", 4);
  REQUIRE(becomes_true(10s, [&] { return at.member("edge-1", "shards") == "0"; }));
  REQUIRE(becomes_true(10s, [&] { return at.owners()["node-2"].first > 0; }));

  const auto drained = at.run({"node", "drain", "node-2", "--as", "amina"});
  INFO(drained.said);
  REQUIRE(drained.code == 0);
  CHECK(becomes_true(15s, [&] { return at.owners()["node-2"].first == 0; }));
  CHECK(at.member("node-2", "status") == "draining");
  CHECK(cluster.is_running("node-2"));
  CHECK(becomes_true(5s, [&] { return !cluster.is_ready("node-2"); }));
  CHECK(contains(metrics(cluster, "node-2"), "baraza_cluster_member{status=\"draining\"} 1"));
  CHECK(becomes_true(
      5s, [&] { return contains(metrics(cluster, "node-2"), "baraza_cluster_shards_owned 0"); }));
  CHECK_FALSE(contains(metrics(cluster, "node-2"), "baraza_cluster_handoffs_total 0"));
  CHECK(contains(metrics(cluster, "node-2"), "baraza_cluster_links_up 3"));
  CHECK(contains(at.run({"node", "drain", "node-2"}).said, "so already"));

  CHECK(at.run({"node", "undrain", "node-2", "--as", "amina"}).code == 0);
  CHECK(becomes_true(15s, [&] { return at.owners()["node-2"].first > 15; }));
  CHECK(at.member("node-2", "status") == "up");
  CHECK(becomes_true(5s, [&] { return cluster.is_ready("node-2"); }));

  const auto seen = at.run({"cluster", "status"});
  INFO(seen.said);
  CHECK(contains(seen.said, "told by edge-1"));
  CHECK(becomes_true(5s, [&] {
    return contains(at.run({"cluster", "status"}).said, "8 players, ");
  }));
  CHECK(contains(seen.said, "operator.undrain"));
  const auto played = bots->stop();
  INFO(played.text);
  CHECK(played.lost == 0);
  CHECK(played.verified == played.acknowledged);
  CHECK(played.acknowledged > 20);
  cluster.ledger_verify();

  const auto on_record = at.run({"incident", "list"}).said;
  INFO(on_record);
  CHECK(contains(on_record, "drain node-2, by amina from 127."));
  CHECK(contains(on_record, "undrain node-2, by amina from 127."));
}

TEST_CASE("a shard moves to the node it is ordered to, whoever is asked", "[operators]") {
  LocalCluster cluster{small()};
  desk at{cluster, "edge-1"};
  REQUIRE(becomes_true(10s, [&] {
    const auto all = at.owners();
    return all.size() == 3 && all.at("node-1").first > 20 && all.at("node-2").first > 20 &&
           all.at("node-3").first > 20;
  }));
  for (const auto& asked : {"edge-1", "node-1", "node-2", "node-3"}) {
    desk here{cluster, asked};
    // From the fullest to the emptiest: that stays in balance, so nothing moves it back.
    auto all = here.owners();
    const auto by_count = [](const auto& a, const auto& b) {
      return a.second.first < b.second.first;
    };
    const auto to = std::ranges::min_element(all, by_count)->first;
    const auto from = std::ranges::max_element(all, by_count);
    if (from->first == to) continue;
    const auto shard = from->second.second;
    CAPTURE(asked, shard, from->first, to);
    const auto moved = here.run({"shard", "move", shard, "--to", to, "--as", "otieno"});
    INFO(moved.said);
    CHECK(moved.code == 0);
    const auto number = static_cast<unsigned>(std::stoul(shard));
    CHECK(becomes_true(5s, [&] { return here.owns(to, number); }));
    CHECK(contains(at.run({"incident", "list"}).said,
                   "move shard " + shard + " to " + to + ", by otieno from 127."));
  }
}

TEST_CASE("what cannot be is refused in one line, and nobody does it without the token",
          "[operators]") {
  const temporary_folder folder;
  const auto token = (folder.path() / "token").string();
  std::ofstream{token} << "a-token-of-the-operators\n";
  std::filesystem::permissions(token, std::filesystem::perms{0600});
  auto options = small();
  options.nodes = 2;
  options.settings.push_back("admin.token_file=" + token);
  LocalCluster cluster{std::move(options)};
  desk at{cluster, "node-1", {"--token-file", token}};
  const auto refused = [](const outcome& what, const std::string& why) {
    INFO(what.said);
    CHECK(what.code == 1);
    CHECK(contains(what.said, why));
    CHECK(std::ranges::count(what.said, '\n') == 1);
  };
  CHECK(becomes_true(10s, [&] { return at.member("node-2", "status") == "up"; }));
  refused(at.run({"node", "remove", "node-2"}), "alive: node-2 renewed its lease");
  refused(at.run({"node", "remove", "node-1"}), "alive: node-1 is the node that you ask");
  refused(at.run({"node", "drain", "node-7"}), "unknown_node: no member is called node-7");
  refused(at.run({"shard", "move", "64", "--to", "node-1"}), "there are shards 0 to 63");
  refused(at.run({"shard", "move", "1", "--to", "edge-1"}), "edge-1 owns no shards");
  CHECK(at.run({"node", "drain", "no name"}).code == 2);
  CHECK(at.run({"node", "drain"}).code == 2);
  CHECK(at.run({"node", "drain", "node-2", "--as", "a&b"}).code == 2);
  CHECK_FALSE(contains(at.run({"incident", "list"}).said, "remove"));  // nothing was done

  CHECK(at.run({"node", "drain", "node-2"}).code == 0);
  refused(at.run({"node", "drain", "node-1"}), "no_heir: no other node is up");

  desk stranger{cluster, "node-1"};
  refused(stranger.run({"node", "list"}), "unauthorized");
  refused(stranger.run({"node", "undrain", "node-2"}), "unauthorized");
  refused(stranger.run({"cluster", "status"}), "unauthorized");
  std::ofstream{token, std::ios::trunc} << "another-token-that-fits\n";
  refused(at.run({"shard", "map"}), "unauthorized");
  CHECK(cluster.run({"node", "list", "--admin", "127.0.0.1:1"}).first == 1);
  CHECK(contains(cluster.run({"node", "list", "--admin", "http://127.0.0.1:1"}).second,
                 "the admin port 127.0.0.1:1 does not answer"));
  CHECK(cluster.run({"node", "list", "--admin", "nonsense"}).first == 2);
}

TEST_CASE("SIGHUP makes a node read the certificates of its links again", "[operators]") {
  auto options = small();
  options.nodes = 2;
  options.edges = 0;
  options.tls = true;
  LocalCluster cluster{std::move(options)};
  const auto status = cluster.cluster().status();
  const auto pid = status.members.front().pid;
  const auto name = status.members.front().name;
  ::kill(pid, SIGHUP);
  CHECK(becomes_true(5s, [&] { return contains(cluster.log(name), "link.certificates_loaded"); }));
  CHECK_FALSE(contains(cluster.log(name), "link.certificates_kept"));
  std::ofstream{std::filesystem::path{status.folder} / "certs" / "ca.pem"} << "nonsense\n";
  ::kill(pid, SIGHUP);
  CHECK(becomes_true(5s, [&] { return contains(cluster.log(name), "link.certificates_kept"); }));
  CHECK(cluster.is_ready(name));
}
