// `baraza cluster …` as a developer meets it: in the background, from one command to the next.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <fstream>
#include <iterator>
#include <sstream>

#include "cluster/local/keeper.hpp"
#include "cluster/local/status_text.hpp"
#include "tests/cluster/local_cluster.hpp"
#include "tests/storage/temporary_folder.hpp"

using baraza::tests::becomes_true;
using baraza::tests::temporary_folder;
using namespace baraza::cluster::local;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct outcome {
  int code = -1;
  std::string said;
};

/// A terminal in front of one cluster; whatever is left of it goes with the object.
class terminal {
 public:
  // PostgreSQL's user must be let through.
  terminal() { fs::permissions(at_.path(), fs::perms{0711}); }
  ~terminal() { run({"down"}); }
  outcome run(std::vector<std::string> words) {
    std::vector<std::string> command{BARAZA_BINARY, "cluster"};
    command.insert(command.end(), words.begin(), words.end());
    command.insert(command.end(), {"--dir", dir()});
    const auto log = at_.path() / ("run-" + std::to_string(++runs_));
    process one;
    one.start(command, {.log = log, .unset = {}});
    outcome out;
    out.code = one.wait(120s).value_or(-1);
    std::ifstream in{log};
    out.said = {std::istreambuf_iterator<char>{in}, {}};
    return out;
  }
  outcome up() { return run({"up", "--nodes", "1", "--edges", "0"}); }
  [[nodiscard]] fs::path dir() const { return at_.path() / "cluster"; }
  [[nodiscard]] cluster_status status() const { return from_lines(ask_keeper(dir(), {"status"})); }
  /// What the cluster has noted for a successor.
  [[nodiscard]] std::vector<process_id> noted() const {
    std::vector<process_id> out;
    std::ifstream in{dir() / "processes"};
    process_id each;
    for (std::string name; in >> each.pid >> each.started >> name;) out.push_back(each);
    return out;
  }
  /// The keeper: the parent of whatever it started.
  [[nodiscard]] pid_t keeper() const {
    std::ifstream in{"/proc/" + std::to_string(status().members.front().pid) + "/stat"};
    std::string text{std::istreambuf_iterator<char>{in}, {}}, state;
    std::istringstream rest{text.substr(text.rfind(')') + 1)};
    pid_t parent = -1;
    rest >> state >> parent;
    return parent;
  }

 private:
  temporary_folder at_;
  int runs_ = 0;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a cluster goes on in the background until it is told down", "[cluster]") {
  terminal at;
  const auto up = at.up();
  INFO(up.said);
  REQUIRE(up.code == 0);
  CHECK(contains(up.said, "ws://127."));
  CHECK(contains(up.said, "/v1/play"));
  CHECK(contains(up.said, "by TCP proxy"));
  const auto running = at.noted();
  CHECK(running.size() == 2);

  CHECK(at.run({"pause", "node-1"}).code == 0);
  CHECK(contains(at.run({"status"}).said, "paused"));
  CHECK(at.run({"resume", "node-1"}).code == 0);
  CHECK(at.run({"kill", "node-1"}).code == 0);
  CHECK(at.status().members.front().state == "ended(137)");
  CHECK(at.run({"restart", "node-1"}).code == 0);
  CHECK(at.status().members.front().state == "ready");
  CHECK(at.run({"partition", "node-1", "--from", "store", "--way", "out"}).code == 0);
  CHECK(contains(at.run({"status"}).said,
                 "node-1 from the store, what it sends, connections stalled"));
  CHECK(at.run({"heal"}).code == 0);
  CHECK(at.status().cuts.empty());
  CHECK(at.run({"store", "kill"}).code == 0);
  CHECK(at.status().store_state == "stopped");
  CHECK(at.run({"store", "start"}).code == 0);
  CHECK(contains(at.run({"logs", "node-1"}).said, "node.ready"));
  CHECK(contains(at.run({"logs", "store"}).said, "ready to accept connections"));
  const auto drained = at.run({"drain", "node-1"});
  INFO(drained.said);
  CHECK(drained.code == 0);
  CHECK(at.status().members.front().state == "ended(0)");

  const auto left = at.noted();
  CHECK(at.run({"down"}).code == 0);
  CHECK_FALSE(fs::exists(at.dir()));
  for (const auto& each : left) CHECK(identify(each.pid) != each);
}

TEST_CASE("mistakes are one line and an exit code", "[cluster]") {
  terminal at;
  const auto none = at.run({"status"});
  CHECK(none.code == 1);
  CHECK(contains(none.said, "no cluster is up in"));
  CHECK(at.run({"down"}).code == 1);
  CHECK(at.run({"logs"}).code == 1);
  if (geteuid() == 0) {
    fs::permissions(at.dir().parent_path(), fs::perms{0700});
    CHECK(contains(at.up().said, "may not enter"));
    fs::permissions(at.dir().parent_path(), fs::perms{0711});
  }
  CHECK(at.run({"up", "--nodes", "0"}).code == 2);
  CHECK(at.run({"up", "--postgres", "nonsense"}).code == 2);
  fs::create_directories(at.dir());
  std::ofstream{at.dir() / "thesis.txt"} << "years of work";
  const auto foreign = at.up();
  CHECK(foreign.code == 1);
  CHECK(contains(foreign.said, "holds something else"));
  CHECK(fs::exists(at.dir() / "thesis.txt"));
  fs::remove(at.dir() / "thesis.txt");

  const auto broken = at.run({"up", "--nodes", "1", "--edges", "0", "--set", "game.rake_bp=99999"});
  CHECK(broken.code == 1);
  CHECK(contains(broken.said, "rake_bp"));  // the end of its log
  CHECK_FALSE(fs::exists(at.dir()));

  REQUIRE(at.up().code == 0);
  const auto again = at.up();
  CHECK(again.code == 1);
  CHECK(contains(again.said, "is up in"));
  const auto unknown = at.run({"kill", "node-9"});
  CHECK(unknown.code == 2);
  CHECK(contains(unknown.said, "there are: node-1"));
  CHECK(at.run({"partition", "node-1", "--way", "sideways"}).code == 2);
  CHECK(at.run({"logs", "node-9"}).code == 2);
  CHECK(at.status().members.front().state == "ready");
}

TEST_CASE("a keeper that is killed leaves no orphans, and the next `up` takes its place",
          "[cluster]") {
  terminal at;
  REQUIRE(at.up().code == 0);
  const auto running = at.noted();
  REQUIRE(running.size() == 2);
  const auto keeper = identify(at.keeper());
  REQUIRE(keeper);
  REQUIRE(keeper->pid > 1);
  ::kill(keeper->pid, SIGKILL);
  CHECK(becomes_true(10s, [&] {
    for (const auto& each : running)
      if (identify(each.pid) == each) return false;
    return true;
  }));
  CHECK(at.run({"status"}).code == 1);
  SECTION("a new cluster") {
    const auto up = at.up();
    INFO(up.said);
    REQUIRE(up.code == 0);
    CHECK(at.status().members.front().state == "ready");
  }
  SECTION("only its files removed") {
    CHECK(at.run({"down"}).code == 0);
    CHECK_FALSE(fs::exists(at.dir()));
  }
}

TEST_CASE("SIGTERM to the keeper is a clean down", "[cluster]") {
  terminal at;
  REQUIRE(at.up().code == 0);
  const auto running = at.noted();
  ::kill(at.keeper(), SIGTERM);
  CHECK(becomes_true(20s, [&] { return !fs::exists(at.dir()); }));
  for (const auto& each : running) CHECK(identify(each.pid) != each);
}

TEST_CASE("what a keeper says of its cluster arrives whole", "[cluster]") {
  cluster_status s;
  s.folder = "/tmp/with space";
  s.store_url = "postgresql://x";
  s.store_state = "running";
  s.parted_by = "TCP proxy";
  s.cuts = {"node-1 from the others"};
  s.members.push_back({.name = "edge-1",
                       .roles = "edge",
                       .state = "ended(137)",
                       .pid = 42,
                       .starts = 3,
                       .play_url = "ws://a",
                       .http_url = "http://a",
                       .admin_url = "http://b",
                       .link = "c:1"});
  s.view = "{\n\"members\":[]}";
  const auto back = from_lines(to_lines(s));
  CHECK(to_json(back) == to_json(s));
  CHECK(to_lines(back) == to_lines(s));
  CHECK(contains(to_json(s), R"("view":{"members":[]}})"));
  CHECK(to_lines(from_lines("later\tword\n" + to_lines(s))) == to_lines(s));
}
