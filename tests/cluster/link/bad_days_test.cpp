#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "cluster/local/proxy.hpp"
#include "tests/cluster/link/link_fixture.hpp"
#include "tests/storage/child.hpp"

using namespace baraza::cluster;
using tests::in;
using tests::quick_options;
using tests::test_node;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

/// Node b in a process of its own, linked both ways with `a`.
struct other_process {
  baraza::tests::child process;
  link_peer peer{"b", 1, "127.0.0.1", 0};

  explicit other_process(test_node& a)
      : process{{PEER_PROCESS, "b", "1", "a", "1", std::to_string(a->port())}} {
    std::string line;
    if (!process.read_line(line) || !line.starts_with("port ")) throw std::runtime_error{line};
    peer.port = static_cast<std::uint16_t>(std::stoi(line.substr(5)));
    a->set_peers({peer});
    if (!a.saw("up out b") || !a.saw("up in b")) throw std::runtime_error{a.all()};
  }
};

std::chrono::milliseconds since(steady_clock::time_point from) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - from);
}

/// A socket to `port` that has said `bytes`.
int say_to(std::uint16_t port, const std::string& bytes) {
  const int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(port);
  REQUIRE(connect(out, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  if (!bytes.empty()) (void)send(out, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return out;
}
/// Whether the other side closes within `limit`.
bool is_closed_within(int socket, int limit_ms) {
  timeval limit{limit_ms / 1000, limit_ms % 1000 * 1000};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char byte = 0;
  ssize_t n = 0;
  while ((n = recv(socket, &byte, 1, 0)) > 0) {
  }
  return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

TEST_CASE("a killed peer is noticed at once") {
  test_node a{quick_options("a")};
  other_process b{a};
  REQUIRE(a->send("b", "echo", in(5s), 1) == send_result::queued);
  REQUIRE(a.saw("got b echo"));
  const auto begun = steady_clock::now();
  b.process.kill();
  REQUIRE(a.saw("down out b"));
  REQUIRE(a.saw("down in b"));
  CHECK(since(begun) < 400ms);  // not by its silence, which takes 600 ms
  CHECK(a->send("b", "x", in(1s), 1) == send_result::not_up);
}

TEST_CASE("a stopped peer goes down by its silence, its queue is bounded and given back") {
  auto patient = quick_options("a");
  patient.silence_max = 2s;  // a busy machine fills the queue well before
  test_node a{patient};
  other_process b{a};
  b.process.signal(SIGSTOP);
  const auto begun = steady_clock::now();
  std::uint64_t queued = 0;
  auto last = send_result::queued;
  while ((last = a->send("b", std::string(60'000, 'x'), in(20s), ++queued)) == send_result::queued)
    if (queued > 100'000) break;
  REQUIRE(last == send_result::full);
  CHECK(queued < 2000);
  REQUIRE(a.saw("down out b 1 silent"));
  CHECK(since(begun) < 4000ms);
  CHECK(a.saw("disconnected"));
  REQUIRE(a.saw("down in b 1"));  // each way has its own silence; else it would just go on
  a.forget();
  b.process.signal(SIGCONT);
  CHECK(a.saw("up out b"));
  CHECK(a.saw("up in b"));
  a->send("b", "again", in(5s), 1);
  CHECK(a.saw("got b again"));
}

TEST_CASE("a message to a stopped peer ends at its deadline") {
  auto slow = quick_options("a");
  slow.silence_max = 20s;
  test_node a{slow};
  other_process b{a};
  b.process.signal(SIGSTOP);
  // Fill what the kernel takes, so that the next waits in our hands: the queue is full and stays
  // so.
  const auto limit = in(10s);
  for (auto taken = steady_clock::now(); since(taken) < 300ms;) {
    if (a->send("b", std::string(60'000, 'x'), in(2s), 1) == send_result::queued)
      taken = steady_clock::now();
    REQUIRE(in(0s) < limit);
  }
  while (a->send("b", "waits", in(200ms), 77) != send_result::queued) REQUIRE(in(0s) < limit);
  const auto begun = steady_clock::now();
  CHECK(a.saw("lost 77 expired", 2s));
  CHECK(since(begun) < 1000ms);
}

TEST_CASE("a peer that is unreachable in one direction goes down, and comes back") {
  for (const bool to : {true, false}) {
    CAPTURE(to);
    test_node a{quick_options("a")}, b{quick_options("b")};
    local::proxy between;
    constexpr local::party dialler = 1, target = 2;
    auto through = b.as_peer();
    through.port = between.add_route({.target_port = b->port(), .to = target, .from = dialler});
    a->set_peers({through});
    b->set_peers({a.as_peer()});
    REQUIRE(a.saw("up out b"));
    REQUIRE(b.saw("up out a"));
    a.forget();
    b.forget();
    to ? between.set_road(dialler, target, local::road::stalled)
       : between.set_road(target, dialler, local::road::stalled);
    const auto begun = steady_clock::now();
    REQUIRE(a.saw("down out b 1"));
    CHECK(since(begun) < 2000ms);
    CHECK(b.saw("down in a"));
    CHECK(a.saw("link.dial_failed to b"));  // it is dialled, and the dial ends too
    CHECK(a.count("down in b") == 0);       // the other direction has its own way and stands
    between.open_all_roads();
    CHECK(a.saw("up out b"));
  }
}

TEST_CASE(
    "a listener that never answers, garbage, and nobody at all are dialled again with patience") {
  test_node a{quick_options("a")};
  const int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(bind(silent, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(listen(silent, 8) == 0);
  getsockname(silent, reinterpret_cast<sockaddr*>(&at), &size);
  a->set_peers({{"mute", 1, "127.0.0.1", ntohs(at.sin_port)}, {"none", 1, "127.0.0.1", 1}});
  CHECK(a.saw("to mute: no answer within 800 ms"));
  CHECK(a.saw("to none: Connection refused"));
  const int client = accept(silent, nullptr, nullptr);
  REQUIRE(client >= 0);
  (void)send(client, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
  const int second = accept(silent, nullptr, nullptr);
  (void)send(second, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL);
  CHECK(a.saw("to mute: it sends no frames of ours"));
  close(client);
  close(second);
  close(silent);
}

TEST_CASE("strangers who say nothing, garbage or too much are closed, and nobody else notices") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  join(a, b);
  std::mt19937_64 random{1};
  std::vector<int> sockets{say_to(a->port(), "")};
  sockets.push_back(say_to(a->port(), "GET / HTTP/1.1\r\n\r\n"));
  sockets.push_back(say_to(a->port(), std::string{"\0\0\0\x05\x01zzzz", 9}));  // no hello of ours
  sockets.push_back(say_to(a->port(), std::string{"\0\0\0\x01\x06", 5}));  // data before a hello
  sockets.push_back(say_to(a->port(), std::string{"\0\0\0\0", 4}));        // an empty frame
  for (int i = 0; i < 30; ++i) {
    std::string noise(1 + random() % 3000, '\0');
    for (auto& c : noise) c = static_cast<char>(random());
    noise[0] = noise[1] = noise[2] = 0;
    sockets.push_back(say_to(a->port(), noise));
  }
  for (const int one : sockets) {
    CHECK(is_closed_within(one, 3000));
    close(one);
  }
  CHECK(a.count("down ") == 0);
  a->send("b", "still here", in(1s), 1);
  CHECK(b.saw("got a still here"));
}

TEST_CASE("a flood of silent connections is bounded, and over when its time is") {
  auto options = quick_options("a");
  test_node a{options}, b{quick_options("b")};
  std::vector<int> sockets;
  for (std::size_t i = 0; i < link_strangers_max + 40; ++i)
    sockets.push_back(say_to(a->port(), ""));
  CHECK(a.saw("link.crowded"));
  for (const int one : sockets) close(one);
  join(a, b);
}

TEST_CASE("stop returns soon whatever the peers do") {
  test_node a{quick_options("a")};
  other_process b{a};
  b.process.signal(SIGSTOP);
  for (int i = 0; i < 100; ++i) a->send("b", std::string(60'000, 'x'), in(10s), 1);
  const auto begun = steady_clock::now();
  a->stop();
  CHECK(since(begun) < 1000ms);
}
