// Who may come in, and who may not.
#include "cluster/certs/certs.hpp"
#include "tests/cluster/bad_days/bad_day.hpp"
#include "tests/slowness.hpp"

using namespace baraza::tests;

namespace {

bool never_gets_ready(LocalCluster& cluster, const std::string& who,
                      std::chrono::milliseconds time = 6s) {
  return !becomes_true(time, [&] { return cluster.is_ready(who); });
}

}  // namespace

TEST_CASE("ten nodes start at once", "[bad_days]") {
  // With sanitizers two cores are busy for longer than a lease with the start of ten alone.
  bad_day day{{.nodes = is_sanitized ? 5u : 10u, .edges = 1}};
  bad_day::play(4s);
  day.require_survived();
  day.require_all_running();
}

TEST_CASE("a second node of a name that lives is refused with exit code 2", "[bad_days]") {
  LocalCluster cluster{{.nodes = 2, .edges = 1}};
  const auto other = cluster.add_stranger({"node.name=node-1"});
  CHECK(cluster.wait_for_end(other, 30s).value_or(-1) == 2);
  CHECK(cluster.log(other).find("node named node-1") != std::string::npos);
  CHECK(cluster.is_ready("node-1"));
}

TEST_CASE("a node with another number of shards is refused", "[bad_days]") {
  LocalCluster cluster{{.nodes = 2, .edges = 1}};
  const auto other = cluster.add_stranger({"cluster.shards=64"});
  const auto code = cluster.wait_for_end(other, 30s);
  REQUIRE(code);
  CHECK(*code != 0);
  CHECK(cluster.log(other).find("shards") != std::string::npos);
  CHECK(cluster.is_ready("node-1"));
}

TEST_CASE("a node of another cluster's name gets nowhere, and hurts nobody", "[bad_days]") {
  LocalCluster cluster{{.nodes = 2, .edges = 1}};
  const auto other = cluster.add_stranger({"cluster.name=elsewhere"});
  CHECK(never_gets_ready(cluster, other));
  CHECK(cluster.is_ready("node-1"));
  CHECK(cluster.is_ready("node-2"));
}

TEST_CASE("nodes with certificates play; one of another authority gets nowhere", "[bad_days]") {
  LocalCluster cluster{{.nodes = 2, .edges = 1, .tls = true}};
  namespace certs = baraza::cluster::certs;
  const auto folder = cluster.cluster().folder() / "elsewhere";
  REQUIRE(certs::init(folder, "local") == "");
  REQUIRE(certs::issue(folder, {.name = "node-3", .addresses = {"127.0.0.1"}, .out = folder}) ==
          "");
  const auto other =
      cluster.add_stranger({"cluster.ca_file=" + (folder / "ca.pem").string(),
                            "cluster.certificate_file=" + (folder / "node-3.pem").string(),
                            "cluster.private_key_file=" + (folder / "node-3.key").string()});
  REQUIRE(other == "node-3");
  CHECK(never_gets_ready(cluster, other));
  const auto bots = cluster.load("edge-1", 2);
  bad_day::play(2s);
  const auto played = bots->stop();
  INFO(played.text);
  CHECK(played.exit_code == 0);
  cluster.ledger_verify();
}
