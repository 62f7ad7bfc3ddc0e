// The network of a local cluster: what a partition lets through, what it hides, what healing gives
// back.
#include "cluster/local/proxy.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <thread>

#include "tests/cluster/local/sockets.hpp"

using namespace baraza::cluster::local;
using baraza::tests::tcp_socket;

namespace {

constexpr int soon = 150;  // ms; long for a proxy on the same machine
constexpr party alice = 1, bob = 2, carol = 3;

/// Alice and Carol can dial Bob, through a proxy.
struct scene {
  tcp_socket bob_listens;
  std::uint16_t bob_port = bob_listens.listen();
  proxy between;
  std::uint16_t port = between.add_route({.target_port = bob_port, .to = bob, .from = {}});

  scene() {
    between.name_source("127.0.0.11", alice);
    between.name_source("127.0.0.13", carol);
  }
  struct pair {
    tcp_socket dialler, target;
  };
  pair connect(const std::string& from = "127.0.0.11") {
    pair made;
    REQUIRE(made.dialler.connect(port, from) == 0);
    made.target = bob_listens.accept();
    REQUIRE(made.target.is_open());
    REQUIRE(made.dialler.send("hello"));
    REQUIRE(made.target.receive() == "hello");
    REQUIRE(made.target.send("welcome"));
    REQUIRE(made.dialler.receive() == "welcome");
    return made;
  }
};

/// Polls for what becomes true.
template <class Holds>
bool eventually(Holds&& holds) {
  for (int i = 0; i < 500; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});  // polls: at most 5 s
  }
  return false;
}

}  // namespace

TEST_CASE("a stalled road holds what is sent and delivers it, in order, once it is open") {
  scene s;
  auto link = s.connect();
  s.between.set_road(alice, bob, road::stalled);
  REQUIRE(link.dialler.send("one"));
  CHECK(link.target.receive(soon) == "(nothing)");
  REQUIRE(link.target.send("the other way"));
  CHECK(link.dialler.receive() == "the other way");  // has a road of its own
  s.between.set_road(alice, bob, road::open);
  CHECK(link.target.receive() == "one");
  REQUIRE(link.dialler.send("two"));
  CHECK(link.target.receive() == "two");
}

TEST_CASE("both roads of a pair are stalled, and nobody else's") {
  scene s;
  auto one = s.connect(), other = s.connect("127.0.0.13"), nobody = s.connect("127.0.0.99");
  s.between.set_road(alice, bob, road::stalled);
  s.between.set_road(bob, alice, road::stalled);
  REQUIRE(one.dialler.send("x"));
  REQUIRE(one.target.send("y"));
  CHECK(one.target.receive(soon) == "(nothing)");
  CHECK(one.dialler.receive(soon) == "(nothing)");
  for (auto* each : {&other, &nobody}) {
    REQUIRE(each->dialler.send("x"));
    CHECK(each->target.receive() == "x");
    REQUIRE(each->target.send("y"));
    CHECK(each->dialler.receive() == "y");
  }
  s.between.open_all_roads();
  CHECK(one.target.receive() == "x");
  CHECK(one.dialler.receive() == "y");
}

TEST_CASE("a connection dialled into a partition waits, and goes on when it heals") {
  scene s;
  s.between.set_road(bob, alice, road::stalled);  // the answer to its first packet is lost
  tcp_socket dialler;
  REQUIRE(dialler.connect(s.port, "127.0.0.11") == 0);
  REQUIRE(dialler.send("hello"));
  CHECK_FALSE(s.bob_listens.has_input(soon));
  s.between.open_all_roads();
  const auto target = s.bob_listens.accept();
  REQUIRE(target.is_open());
  CHECK(target.receive() == "hello");
}

TEST_CASE("who gave up while the road was stalled is not announced afterwards") {
  scene s;
  s.between.set_road(alice, bob, road::stalled);
  tcp_socket dialler;
  REQUIRE(dialler.connect(s.port, "127.0.0.11") == 0);
  REQUIRE(eventually([&] { return s.between.connections() == 1; }));
  dialler.close();
  s.between.open_all_roads();
  CHECK(eventually([&] { return s.between.connections() == 0; }));
  CHECK_FALSE(s.bob_listens.has_input(soon));
}

TEST_CASE("the end of a connection does not pass a stalled road either") {
  scene s;
  auto link = s.connect();
  s.between.set_road(alice, bob, road::stalled);
  SECTION("an orderly one") { link.dialler.close(); }
  SECTION("a reset") { link.dialler.reset(); }
  CHECK(link.target.receive(soon) == "(nothing)");
  // Bob goes on talking to nobody.
  for (int i = 0; i < 5; ++i) REQUIRE(link.target.send("are you there?"));
  CHECK(link.target.receive(soon) == "(nothing)");
  s.between.open_all_roads();
  const auto end = link.target.receive();
  CHECK((end == "(reset)" || end == "(end)"));
}

TEST_CASE("a cut road resets the pair's connections and every new one, until it is open") {
  scene s;
  auto link = s.connect(), other = s.connect("127.0.0.13");
  s.between.set_road(alice, bob, road::cut);
  CHECK(link.dialler.receive() == "(reset)");
  CHECK(link.target.receive() == "(reset)");
  tcp_socket again;
  if (again.connect(s.port, "127.0.0.11") == 0) CHECK(again.receive() == "(reset)");
  REQUIRE(other.dialler.send("x"));
  CHECK(other.target.receive() == "x");
  s.between.set_road(alice, bob, road::open);
  s.connect();
}

TEST_CASE("a proxy refuses while its target does") {
  scene s;
  auto link = s.connect();
  // The process behind it dies: its listener and its connections are gone at once.
  s.bob_listens.close();
  link.target.reset();
  CHECK(link.dialler.receive() == "(reset)");
  CHECK(eventually([&] {
    tcp_socket probe;
    return probe.connect(s.port) == ECONNREFUSED;
  }));
  REQUIRE(s.bob_listens.listen(s.bob_port) == s.bob_port);
  CHECK(eventually([&] {
    tcp_socket probe;
    return probe.connect(s.port) == 0;
  }));
}

TEST_CASE("an orderly end passes an open road after all that was sent before it") {
  scene s;
  auto link = s.connect();
  REQUIRE(link.dialler.send("last words"));
  link.dialler.close();
  CHECK(link.target.receive() == "last words");
  CHECK(link.target.receive() == "(end)");
  link.target.close();
  CHECK(eventually([&] { return s.between.connections() == 0; }));
}

TEST_CASE("a slow reader slows its sender; the proxy holds no more than its buffers") {
  scene s;
  auto link = s.connect();
  s.between.set_road(alice, bob, road::stalled);
  const std::string block(64 * 1024, 'x');
  std::size_t sent = 0;
  for (bool takes = true; takes;) {
    const auto n = send(link.dialler.fd(), block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    takes = n > 0;
    sent += takes ? static_cast<std::size_t>(n) : 0;
    REQUIRE(sent < 64 * 1024 * 1024);
  }
  s.between.open_all_roads();
  std::size_t received = 0;
  while (received < sent) {
    const auto part = link.target.receive();
    REQUIRE(part.find('(') == std::string::npos);
    received += part.size();
  }
  CHECK(received == sent);
}
