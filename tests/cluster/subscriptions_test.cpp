#include "http/subscriptions.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace baraza;
using baraza::http::subscriptions;

TEST_CASE("the last watcher's leaving is told once") {
  subscriptions subs;
  const uuid table = uuid::v7(1);
  subs.watch(table, 1);
  subs.watch(table, 2);
  CHECK_FALSE(subs.unwatch(table, 1));
  CHECK(subs.unwatch(table, 2));
  CHECK_FALSE(subs.unwatch(table, 2));
  CHECK(subs.size() == 0);
}

TEST_CASE("watching again means catching up again, not watching twice") {
  subscriptions subs;
  const uuid table = uuid::v7(1);
  subs.watch(table, 1);
  subs.find(table, 1)->caught_up = true;
  subs.watch(table, 1);
  CHECK(subs.find(table)->watchers.size() == 1);
  CHECK_FALSE(subs.find(table, 1)->caught_up);
}
