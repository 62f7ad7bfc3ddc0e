// Many idle sessions: what each costs the server, and that one among them is still served at once.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "tests/http/edge_fixture.hpp"
#include "tests/slowness.hpp"

using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

std::size_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("an idle session costs at most 12 KiB, and one among many is answered at once",
          "[edge][crowd]") {
  std::size_t most = 2000;
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  most = std::min<std::size_t>(most, (limit.rlim_cur - 200) / 2);
  server s;
  const auto token = s.guest();
  std::vector<raw_client> crowd;
  crowd.reserve(most);
  const auto join = [&](std::size_t until) {
    while (crowd.size() < until) {
      crowd.push_back(s.connect());
      REQUIRE(crowd.back().upgrade(token, "baraza.v1.json").status == 101);
    }
    REQUIRE(eventually([&] { return s.actors.sessions() == until; }));
  };
  join(100);  // what every server has
  const auto before = resident_bytes();
  join(most);
  const auto each = (resident_bytes() - before) / (most - 100);
  WARN("resident bytes per idle session, the test's own half included: " << each);
  if (!baraza::tests::is_sanitized)  // sanitizers keep shadows of everything
    CHECK(each <= 12 * 1024);
  const auto start = std::chrono::steady_clock::now();
  crowd[most / 2].send_frame(1, R"({"t":"lobby.leave","id":1})");
  CHECK(crowd[most / 2].read_message() == R"({"t":"ok","re":1})");
  CHECK(std::chrono::steady_clock::now() - start < baraza::tests::slowness * 1s);
}
