#include "cluster/pending.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

using baraza::cluster::pending;
using namespace std::chrono_literals;

TEST_CASE("a question is answered once, or given up once, and there are not too many") {
  const pending<std::string>::time_point now{1h};
  pending<std::string> open{2};
  const auto first = open.add("first", now + 1s), second = open.add("second", now + 2s);
  CHECK(first != 0);
  CHECK(second != first);
  CHECK(open.add("third", now + 1s) == 0);
  CHECK(*open.find(second) == "second");
  CHECK(open.take_late(now).empty());
  CHECK(open.take(second) == "second");
  CHECK(open.take(second) == std::nullopt);
  CHECK(open.take_late(now + 1s) == std::vector<std::string>{"first"});
  CHECK(open.find(first) == nullptr);
  CHECK(open.take_late(now + 1h).empty());
  CHECK(open.add("fourth", now) > second);  // a late answer to an old one meets nobody
}
