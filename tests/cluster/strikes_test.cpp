// What is counted against an entity whose code ends the process (rule D3). Each life is a process
// of its own.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "cluster/watchdog.hpp"
#include "tests/cluster/probe_entity.hpp"
#include "tests/slowness.hpp"

using namespace baraza;
using namespace baraza::testing;

namespace {

constexpr unsigned longest_life = 30;  // s; then SIGALRM ends it, which is not what a test expects

/// A process with a node on `url` that lives until `life` returns, or kills it; nothing is closed
/// in order. @returns the signal that ended it; 0: none
int live(const std::string& url, const std::function<void(probe_node&)>& life) {
  const auto pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(longest_life);
    try {
      probe_node node{url};
      cluster::watchdog::hear_crashes();  // after the test framework's own handlers
      life(node);
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int state = 0;
  REQUIRE(::waitpid(pid, &state, 0) == pid);
  return WIFSIGNALED(state) ? WTERMSIG(state) : 0;
}

std::uint32_t strikes_of(const entity_id& who, const std::string& url) {
  auto store = storage::open(url);
  REQUIRE(store);
  auto reader = (*store)->open_reader();
  REQUIRE(reader);
  const auto row = (*reader)->activate({&who, 1});
  REQUIRE(row);
  return row->at(0).attempts;
}

}  // namespace

TEST_CASE("the first request after a load ends the process: one strike for each death") {
  if (tests::is_sanitized) SKIP("a sanitizer has the last word at a crash");
  const temporary_folder folder;
  const auto url = folder.url();
  const entity_id who{entity_kind::table, uuid::v7(1'700'000'000'000)};
  // Killed as it stands, so that the next one counts its loads.
  REQUIRE(live(url, [&](probe_node& node) {
            if (is_accepted(node.edge->ask(*node.node, who, "add"))) ::raise(SIGKILL);
          }) == SIGKILL);
  CHECK(strikes_of(who, url) == 0);
  for (std::uint32_t deaths = 1; deaths <= 2; ++deaths) {
    CAPTURE(deaths);
    // It waits while it is loaded, and dies when the strike of that load has been forgotten.
    CHECK(live(url, [&](probe_node& node) { (void)node.edge->ask(*node.node, who, "die late"); }) ==
          SIGSEGV);
    CHECK(strikes_of(who, url) == deaths);
  }
}
