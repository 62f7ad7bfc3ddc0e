#include <catch2/catch_test_macros.hpp>

#include "tests/cluster/link/link_fixture.hpp"

using namespace baraza::cluster;
using tests::in;
using tests::quick_options;
using tests::test_node;
using namespace std::chrono_literals;

TEST_CASE("two nodes hear each other in order, long messages too") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  join(a, b);
  REQUIRE(a->send("b", "one", in(5s), 1) == send_result::queued);
  REQUIRE(a->send("b", std::string(700'000, 'x'), in(5s), 2) == send_result::queued);
  REQUIRE(a->send("b", "three", in(5s), 3) == send_result::queued);
  REQUIRE(b.saw("got a three"));
  CHECK(b.all().find("got a one") < b.all().find("got a 700000"));
  CHECK(b.all().find("got a 700000") < b.all().find("got a three"));
  REQUIRE(b->send("a", "back", in(5s), 4) == send_result::queued);
  CHECK(a.saw("got b back"));
  CHECK(a.count("lost") == 0);
}

TEST_CASE("many small messages all arrive") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  join(a, b);
  constexpr int messages = 5000;
  for (int i = 0; i < messages; ++i)
    REQUIRE(a->send("b", "m" + std::to_string(i) + ";", in(10s), 1) == send_result::queued);
  REQUIRE(b.saw("got a m", 20s, messages));
  CHECK(b.count("got a m") == messages);
}

TEST_CASE("what cannot be sent is said at once") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  CHECK(a->send("b", "x", in(1s), 1) == send_result::not_up);
  join(a, b);
  CHECK(a->send("c", "x", in(1s), 1) == send_result::not_up);
  CHECK(a->send("b", std::string(wire::message_bytes_max + 1, 'x'), in(1s), 1) ==
        send_result::too_large);
  CHECK(a->send("b", "late", in(-1ms), 9) == send_result::queued);
  CHECK(a.saw("lost 9 expired"));
  CHECK(b.count("late") == 0);
}

TEST_CASE("a wrong cluster, store, shard count, version or name is refused, and both say why") {
  const auto check = [](auto change, const std::string& word) {
    test_node a{quick_options("a")};
    auto other = quick_options("b");
    change(other);
    test_node b{other};
    b->set_peers({a.as_peer()});
    CAPTURE(word);
    CHECK(a.saw("log link.refused"));
    CHECK(b.saw("refused: "));
    CHECK(a.count(word) >= 1);
    CHECK(b.count(word) >= 1);
    CHECK(a.count("up ") == 0);
    CHECK(b.count("up ") == 0);
  };
  check([](link_options& o) { o.self.cluster = "kisumu"; }, "kisumu");
  check([](link_options& o) { o.self.system_id = "store-2"; }, "store-2");
  check([](link_options& o) { o.self.shards = 512; }, "512 shards");
  check(
      [](link_options& o) {
        o.self.protocol_oldest = 8;
        o.self.protocol_newest = 9;
      },
      "8 to 9");
}

TEST_CASE("an earlier or later life of a node is not taken for it") {
  test_node a{quick_options("a", 7)}, b{quick_options("b")};
  auto wrong = a.as_peer();
  wrong.incarnation = 6;
  b->set_peers({wrong});
  REQUIRE(b.saw("refused: node b (incarnation 1) looks for node a (incarnation 6)"));
  CHECK(b.count("up ") == 0);
  b->set_peers({a.as_peer()});
  CHECK(b.saw("up out a 7"));
}

TEST_CASE("a node of a newer life replaces its former connection, an older one is refused") {
  test_node a{quick_options("a")}, second{quick_options("b", 2)};
  {
    test_node first{quick_options("b", 1)};
    first->set_peers({a.as_peer()});
    REQUIRE(a.saw("up in b 1"));
    second->set_peers({a.as_peer()});
    REQUIRE(a.saw("down in b 1"));
    REQUIRE(a.saw("up in b 2"));
    CHECK(first.saw("down out a 1"));
    CHECK(first.saw("b (incarnation 1) is over"));
  }
  CHECK(a.count("down in b 2") == 0);
}

TEST_CASE("an older version that speaks the same protocol is welcome") {
  auto newer = quick_options("b");
  newer.self.protocol_newest = 3;  // and 1 still
  test_node a{quick_options("a")}, b{newer};
  join(a, b);
  a->send("b", "hello", in(1s), 1);
  CHECK(b.saw("got a hello"));
}

TEST_CASE("without certificates only loopback is listened to and dialled") {
  auto open = quick_options("a");
  open.listen_host = "0.0.0.0";
  auto made = link::start(open, {});
  REQUIRE(std::holds_alternative<std::string>(made));
  CHECK(std::get<std::string>(made).find("without certificates") != std::string::npos);
  test_node a{quick_options("a")};
  a->set_peers({{"b", 1, "192.0.2.1", 7}});
  CHECK(a.saw("only loopback"));
}

TEST_CASE("a peer that is no longer wanted is left, and its queue is given back") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  join(a, b);
  a->set_peers({});
  CHECK(a.saw("down out b 1"));
  CHECK(b.saw("down in a 1"));
  CHECK(a->send("b", "x", in(1s), 1) == send_result::not_up);
}

TEST_CASE("a node that stops says goodbye, and is dialled again when it is back") {
  test_node a{quick_options("a")};
  std::uint16_t port = 0;
  {
    test_node b{quick_options("b")};
    port = b->port();
    join(a, b);
  }
  CHECK(a.saw("down out b 1 it says goodbye"));
  CHECK(a.saw("down in b 1 it says goodbye"));
  auto again = quick_options("b");
  again.listen_port = port;
  test_node b{again};
  CHECK(a.saw("up out b 1", 10s, 2));
}

TEST_CASE("an address that is taken, and one that is none, are said") {
  test_node a{quick_options("a")};
  auto same = quick_options("b");
  same.listen_port = a->port();
  auto made = link::start(same, {});
  REQUIRE(std::holds_alternative<std::string>(made));
  CHECK(std::get<std::string>(made).find("cannot listen") != std::string::npos);
  same.listen_host = "somewhere";
  CHECK(std::holds_alternative<std::string>(link::start(same, {})));
}

TEST_CASE("status tells who is reached and how fast") {
  test_node a{quick_options("a")}, b{quick_options("b")};
  join(a, b);
  const auto until = in(5s);
  std::vector<link_status> now;
  do now = a->status();
  while (in(0s) < until && (now.size() != 1 || now[0].round_trip_us == 0));
  REQUIRE(now.size() == 1);
  CHECK(now[0].outgoing);
  CHECK(now[0].incoming);
  CHECK(now[0].round_trip_us > 0);
}
