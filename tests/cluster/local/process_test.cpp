// Child processes of a local cluster: ended by us, with us, and never in place of another.
#include "cluster/local/process.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <fstream>

#include "cluster/local/failure.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza::cluster::local;
using namespace std::chrono_literals;
using baraza::tests::temporary_folder;

namespace {

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

}  // namespace

TEST_CASE("a process's exit code, signal and output are known") {
  const temporary_folder at;
  process one;
  one.start(shell("echo out; echo err >&2; exit 7"), {.log = at.path() / "log", .unset = {}});
  CHECK(one.wait(10s) == 7);
  CHECK_FALSE(one.is_running());
  CHECK(tail(at.path() / "log", 10) == "out\nerr\n");
  one.start(shell("kill -9 $$"), {.log = at.path() / "log", .unset = {}});
  CHECK(one.wait(10s) == 128 + SIGKILL);
}

TEST_CASE("what cannot be run is refused with its name") {
  const temporary_folder at;
  process one;
  CHECK_THROWS_AS(one.start({"/nothing/here"}, {.log = at.path() / "log", .unset = {}}), failure);
}

TEST_CASE("a kill takes the children along, a stopped process too") {
  const temporary_folder at;
  process one;
  one.start(shell("sleep 60 & echo $! > " + (at.path() / "child").string() + "; wait"),
            {.log = at.path() / "log", .unset = {}});
  pid_t child = 0;
  for (int i = 0; i < 500 && child == 0; ++i) {
    usleep(10'000);  // polls: at most 5 s
    std::ifstream{at.path() / "child"} >> child;
  }
  REQUIRE(child > 0);
  const auto who = identify(child);
  REQUIRE(who);
  one.signal(SIGSTOP);
  CHECK(one.kill());
  CHECK_FALSE(one.kill());
  CHECK(identify(child) != who);
}

TEST_CASE("a process does not outlive the one that started it, even if that is killed") {
  const temporary_folder at;
  const auto note = at.path() / "pid";
  const pid_t starter = fork();
  if (starter == 0) {
    process one;
    one.start(shell("exec sleep 60"), {.log = at.path() / "log", .unset = {}});
    std::ofstream{note.string() + ".new"} << one.id().pid << ' ' << one.id().started;
    std::filesystem::rename(note.string() + ".new", note);
    for (;;) pause();
  }
  process_id child;
  for (int i = 0; i < 500 && child.pid < 0; ++i) {
    usleep(10'000);  // polls: at most 5 s
    std::ifstream{note} >> child.pid >> child.started;
    if (child.started == 0) child.pid = -1;
  }
  REQUIRE(identify(child.pid) == child);
  ::kill(starter, SIGKILL);
  waitpid(starter, nullptr, 0);
  bool is_gone = false;
  for (int i = 0; i < 500 && !is_gone; ++i) {
    is_gone = identify(child.pid) != child;
    usleep(10'000);  // polls: at most 5 s
  }
  CHECK(is_gone);
}

TEST_CASE("a leftover is ended only if its start time is the one noted") {
  const temporary_folder at;
  process one;
  one.start(shell("exec sleep 60"), {.log = at.path() / "log", .unset = {}});
  auto other = one.id();
  other.started += 1;  // the number was given to another process meanwhile
  CHECK_FALSE(end_leftover(other));
  CHECK(one.is_running());
  const pid_t self = getpid();
  REQUIRE(identify(self));
  CHECK_FALSE(end_leftover({self, identify(self)->started + 1}));
  CHECK(end_leftover(one.id()));
  CHECK_FALSE(one.is_running());
}

TEST_CASE("variables that would change a node's settings are not inherited") {
  const temporary_folder at;
  ::setenv("BARAZA_PROCESS_TEST", "seen", 1);
  process one;
  one.start(shell("echo ${BARAZA_PROCESS_TEST:-unset}"),
            {.log = at.path() / "log", .unset = {"BARAZA_"}});
  CHECK(one.wait(10s) == 0);
  ::unsetenv("BARAZA_PROCESS_TEST");
  CHECK(tail(at.path() / "log", 1) == "unset\n");
}

TEST_CASE("the tail of a log is its last lines") {
  const temporary_folder at;
  const auto log = at.path() / "log";
  std::ofstream{log} << "1\n2\n3\n4\n";
  CHECK(tail(log, 2) == "3\n4\n");
  CHECK(tail(log, 10) == "1\n2\n3\n4\n");
  std::ofstream{log, std::ios::app} << "unfinished";
  CHECK(tail(log, 2) == "4\nunfinished");
  CHECK(tail(at.path() / "none", 2).empty());
}
