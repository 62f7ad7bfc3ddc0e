// The store's primary is gone for good, and its standby takes its place.
#include "tests/cluster/bad_days/bad_day.hpp"
#include "tests/integration/postgres_server.hpp"

using namespace baraza::tests;
using baraza::cluster::local::standby_kind;

namespace {

constexpr int stopped_exit = 70;  // a node that ends itself

LocalCluster::options with(standby_kind standby) {
  LocalCluster::options options;
  options.standby = standby;
  return options;
}

bool says(LocalCluster& cluster, const std::string& node, const std::string& what) {
  return cluster.log(node).find(what) != std::string::npos;
}

/// The standby runs and has nearly all that the primary has.
void attach_standby(LocalCluster& cluster) {
  cluster.start_standby();
  REQUIRE(becomes_true(20s, [&] {
    return sql_at(cluster.store_url(),
                  "select count(*) from pg_stat_replication where state = 'streaming' and "
                  "pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) < 65536") == "1";
  }));
}

}  // namespace

TEST_CASE("the primary dies, its synchronous standby is promoted: nothing is lost, nobody dies",
          "[bad_days]") {
  bad_day day{with(standby_kind::synchronous)};
  REQUIRE(sql_at(day.cluster.store_url(),
                 "select sync_state from pg_stat_replication where state = 'streaming'") ==
          "quorum");
  day.cluster.kill_store();
  day.play(7s);  // longer than a lease
  day.require_all_running();
  day.cluster.promote_standby();
  day.cluster.wait_until_ready();
  day.play(7s);  // as long again: whoever judged others by the silence would have done it
  day.require_all_running();
  for (const auto& each : day.everybody()) {
    CAPTURE(each);
    CHECK(says(day.cluster, each, "membership.suspended"));
    CHECK(says(day.cluster, each, "membership.resumed"));
    CHECK_FALSE(says(day.cluster, each, "membership.declares_dead"));
  }
  day.require_survived();
  CHECK(sql_at(day.cluster.store_url(), "select count(*) from node where status = 'dead'") == "0");
}

TEST_CASE("a stale asynchronous standby is promoted: every node finds out, and ends",
          "[bad_days]") {
  LocalCluster cluster{with(standby_kind::asynchronous)};
  const auto bots = cluster.load("edge-1", 4);
  attach_standby(cluster);
  cluster.stop_standby();
  const auto before = std::stoul(sql_at(cluster.store_url(), "select count(*) from journal"));
  REQUIRE(becomes_true(20s, [&] {  // acknowledged, and not there
    return std::stoul(sql_at(cluster.store_url(), "select count(*) from journal")) > before + 200;
  }));
  bad_day::play(2s);  // and a renewal of each, be it an edge
  cluster.kill_store();
  cluster.start_standby();
  cluster.promote_standby();
  auto all = cluster.nodes();
  for (const auto& each : cluster.edges()) all.push_back(each);
  for (const auto& each : all) {
    CAPTURE(each);
    CHECK(cluster.wait_for_end(each, 30s).value_or(-1) == stopped_exit);
    CHECK(says(cluster, each, "the store went back in time"));
  }
  // Started again it has no memory of its own, but the store has.
  cluster.cluster().restart("node-1");
  CHECK(cluster.wait_for_end("node-1", 30s).value_or(-1) == 1);
  CHECK(says(cluster, "node-1", "storage.allow_loss"));
  const auto accepts = cluster.add_stranger({"storage.allow_loss=true"});
  CHECK(becomes_true(40s, [&] {
    // Its own road to the dead server learns only from a first connection that nobody is there.
    if (!cluster.is_running(accepts)) cluster.cluster().restart(accepts);
    return cluster.is_ready(accepts);
  }));
  cluster.restart("node-2");  // it was accepted once, for all
  cluster.ledger_verify();    // old, but whole
}

TEST_CASE("no node starts on a store with an asynchronous standby, unless told to", "[bad_days]") {
  auto options = with(standby_kind::asynchronous);
  options.nodes = 1;
  options.edges = 0;
  LocalCluster cluster{options};
  attach_standby(cluster);
  const auto careful = cluster.add_stranger({});
  CHECK(cluster.wait_for_end(careful, 30s).value_or(-1) == 1);
  CHECK(says(cluster, careful, "a standby replicates asynchronously"));
  const auto careless = cluster.add_stranger({"storage.allow_loss=true"});
  CHECK(becomes_true(30s, [&] { return cluster.is_ready(careless); }));
  CHECK(cluster.is_ready("node-1"));  // which was there before
}
