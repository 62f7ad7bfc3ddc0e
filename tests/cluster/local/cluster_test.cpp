// The fixture itself, with the smallest cluster there is: a node that does everything.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <thread>

#include "cluster/local/failure.hpp"
#include "tests/cluster/local_cluster.hpp"
#include "tests/storage/temporary_folder.hpp"

using baraza::tests::becomes_true;
using baraza::tests::LocalCluster;
using baraza::tests::temporary_folder;
using namespace baraza::cluster::local;
using namespace std::chrono_literals;

namespace {

LocalCluster::options one_node() {
  LocalCluster::options out;
  out.nodes = 1;
  out.edges = 0;
  return out;
}

}  // namespace

TEST_CASE("what players saw survives the kill of the only node", "[cluster]") {
  LocalCluster cluster{one_node()};
  const auto bots = cluster.load(cluster.doors().front(), 4);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(700ms);  // polls: nothing; they play for a while
    cluster.kill("node-1");
    CHECK_FALSE(cluster.is_running("node-1"));
    cluster.restart("node-1");
  }
  std::this_thread::sleep_for(700ms);
  const auto played = bots->stop();
  INFO(played.text);
  CHECK(played.lost == 0);
  CHECK(played.verified == played.acknowledged);
  CHECK(played.acknowledged > 50);
  CHECK(played.reconnects >= 8);
  cluster.ledger_verify();
}

TEST_CASE("a node without its store is not ready, however the store went", "[cluster]") {
  LocalCluster cluster{one_node()};
  const auto is_unready = [&] { return !cluster.is_ready("node-1"); };
  cluster.stop_store();
  CHECK(becomes_true(30s, is_unready));
  cluster.start_store();
  cluster.wait_until_ready(30s);
  cluster.kill_store();
  CHECK(becomes_true(30s, is_unready));
  cluster.start_store();
  cluster.wait_until_ready(30s);
  cluster.partition({.node = "node-1", .from = "store", .is_reset = true});
  CHECK(becomes_true(30s, is_unready));
  cluster.heal();
  cluster.wait_until_ready(30s);
  cluster.ledger_verify();
}

TEST_CASE("a paused node answers nobody and goes on where it was", "[cluster]") {
  LocalCluster cluster{one_node()};
  cluster.pause("node-1");
  CHECK(cluster.cluster().status().members.front().state == "paused");
  CHECK(cluster.is_running("node-1"));
  cluster.resume("node-1");
  CHECK(becomes_true(30s, [&] { return cluster.is_ready("node-1"); }));
  CHECK(cluster.drain("node-1") == 0);
  CHECK_FALSE(cluster.is_running("node-1"));
}

TEST_CASE("two clusters side by side do not know of each other", "[cluster]") {
  LocalCluster one{one_node()}, two{one_node()};
  CHECK(one.url() != two.url());
  CHECK(one.store_url() != two.store_url());
  one.kill("node-1");
  CHECK(two.is_ready("node-1"));
}

TEST_CASE("a name nobody has, and an option that does not fit, are said so", "[cluster]") {
  LocalCluster cluster{one_node()};
  CHECK_THROWS_AS(cluster.kill("node-7"), failure);
  CHECK_THROWS_AS(cluster.partition(cut{.node = "node-1", .from = "node-1"}), failure);
  CHECK_THROWS_AS(cluster.kill_at_once({"node-1", "node-7"}), failure);
  CHECK(cluster.is_running("node-1"));  // all or none
  CHECK_THROWS_AS(cluster.url("nowhere"), failure);
  CHECK_THROWS_AS(local_cluster{cluster_options{.nodes = 0}}, failure);
}

TEST_CASE("a node that does not start is reported with what it said", "[cluster]") {
  const temporary_folder at;
  std::filesystem::permissions(at.path(), std::filesystem::perms{0711});
  cluster_options options;
  options.binary = BARAZA_BINARY;
  options.folder = at.path() / "cluster";
  options.nodes = 1;
  options.settings = {"game.rake_bp=99999"};
  local_cluster cluster{options};
  std::string said;
  try {
    cluster.wait_until_ready(30s);
  } catch (const failure& why) {
    said = why.what();
  }
  CHECK(said.find("node-1 ended with 2") != std::string::npos);
  CHECK(said.find("rake_bp") != std::string::npos);
}

TEST_CASE("a test that is killed leaves no process, and the next one removes its files",
          "[cluster]") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t victim = fork();
  if (victim == 0) {
    LocalCluster cluster{one_node()};
    const auto status = cluster.cluster().status();
    const process_id about[] = {identify(status.members.front().pid).value_or(process_id{}),
                                cluster.cluster().store().id()};
    std::ofstream{"/proc/self/fd/" + std::to_string(ends[1])}
        << status.folder << ' ' << about[0].pid << ' ' << about[0].started << ' ' << about[1].pid
        << ' ' << about[1].started << '\n';
    for (;;) pause();
  }
  ::close(ends[1]);
  std::string folder;
  process_id node, store;
  {
    std::ifstream in{"/proc/self/fd/" + std::to_string(ends[0])};
    in >> folder >> node.pid >> node.started >> store.pid >> store.started;
  }
  ::close(ends[0]);
  REQUIRE(identify(node.pid) == node);
  REQUIRE(identify(store.pid) == store);
  ::kill(victim, SIGKILL);
  waitpid(victim, nullptr, 0);
  CHECK(becomes_true(10s,
                     [&] { return identify(node.pid) != node && identify(store.pid) != store; }));
  CHECK(std::filesystem::exists(folder));
  LocalCluster next{one_node()};
  CHECK_FALSE(std::filesystem::exists(folder));
}
