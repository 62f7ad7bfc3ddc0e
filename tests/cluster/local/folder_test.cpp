// The folder of a cluster: one owner, nothing of anybody else's touched, nothing left behind.
#include "cluster/local/folder.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include <fstream>

#include "cluster/local/addresses.hpp"
#include "cluster/local/failure.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza::cluster::local;
using namespace std::chrono_literals;
using baraza::tests::temporary_folder;
namespace fs = std::filesystem;

namespace {

/// A process that has taken `path` and noted a child of its own, and is then killed; the child goes
/// on. Ended with the object if nobody else does.
struct leftover {
  process_id child;

  explicit leftover(const fs::path& path) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t owner = fork();
    if (owner == 0) own(path, ends[1]);
    REQUIRE(read(ends[0], &child, sizeof child) == sizeof child);
    ::close(ends[0]);
    ::close(ends[1]);
    waitpid(owner, nullptr, 0);
    REQUIRE(is_running());
  }
  ~leftover() { end_leftover(child); }
  leftover(const leftover&) = delete;
  leftover& operator=(const leftover&) = delete;
  [[nodiscard]] bool is_running() const { return identify(child.pid) == child; }

 private:
  [[noreturn]] static void own(const fs::path& path, int tell) {
    const cluster_folder held{path};
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sleep", "sleep", "60", nullptr);
      _exit(127);
    }
    for (std::string name; name != "sleep";) {  // polls: until it has let go of our lock
      std::ifstream{"/proc/" + std::to_string(child) + "/comm"} >> name;
      usleep(1000);
    }
    const auto id = identify(child).value_or(process_id{});
    held.note({{id, "node-1"}});
    std::ofstream{path / "node-1.log"} << "text";
    (void)!write(tell, &id, sizeof id);
    for (;;) ::kill(getpid(), SIGKILL);
  }
};

}  // namespace

TEST_CASE("a cluster's folder has one owner at a time, and is gone with it") {
  const temporary_folder at;
  const auto path = at.path() / "cluster";
  {
    const cluster_folder held{path};
    CHECK(fs::exists(path));
    CHECK_THROWS_AS(cluster_folder{path}, failure);
    CHECK_FALSE(cluster_folder::clean(path));
    CHECK(fs::exists(path));
  }
  CHECK_FALSE(fs::exists(path));
  const cluster_folder again{path};
}

TEST_CASE("a folder with anything else in it is refused and not touched") {
  const temporary_folder at;
  std::ofstream{at.path() / "thesis.txt"} << "years of work";
  CHECK_THROWS_AS(cluster_folder{at.path()}, failure);
  CHECK_FALSE(cluster_folder::clean(at.path()));
  CHECK(fs::exists(at.path() / "thesis.txt"));
  CHECK_FALSE(fs::exists(at.path() / "lock"));
}

TEST_CASE("what a killed owner left is ended and removed by the next") {
  const temporary_folder at;
  const auto path = at.path() / "cluster";
  const leftover left{path};
  SECTION("by whoever takes the folder") {
    const cluster_folder next{path};
    CHECK_FALSE(left.is_running());
    CHECK_FALSE(fs::exists(path / "node-1.log"));
  }
  SECTION("by cleaning alone") {
    CHECK(cluster_folder::clean(path));
    CHECK_FALSE(left.is_running());
    CHECK_FALSE(fs::exists(path));
  }
  SECTION("by cleaning all of a name, and no other") {
    fs::create_directory(at.path() / "clutter");
    cluster_folder::clean_all(at.path(), "clu");
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::exists(at.path() / "clutter"));
  }
}

TEST_CASE("a number that was given out again is nobody's harm") {
  const temporary_folder at;
  const auto path = at.path() / "cluster";
  const leftover left{path};
  {
    // As if the noted process had ended and its number were ours.
    std::ofstream note{path / "processes"};
    note << getpid() << " 12345 node-1\n";
  }
  CHECK(cluster_folder::clean(path));  // and we are still here
  CHECK(left.is_running());
}

TEST_CASE("clusters side by side have addresses of their own") {
  const address_block one, two;
  CHECK(one.at(2) != two.at(2));
  CHECK(one.at(2).starts_with("127."));
}
