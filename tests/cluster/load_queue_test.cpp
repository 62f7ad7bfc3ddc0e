#include "cluster/load_queue.hpp"

#include <catch2/catch_test_macros.hpp>

#include "cluster/limits.hpp"

using namespace baraza;
using namespace baraza::cluster;

namespace {

entity_id table(std::uint8_t n) {
  entity_id id{entity_kind::table, {}};
  id.key.bytes[0] = n;
  return id;
}
constexpr millis now = 1'000, an_hour_later = 3'601'000;

}  // namespace

TEST_CASE("while all is well two batches are read at once and the third grows") {
  load_queue queue;
  for (std::uint8_t i = 0; i < 3; ++i) {
    queue.add(table(i));
    queue.add(table(static_cast<std::uint8_t>(i + 10)));
    const auto batch = queue.next(now);
    CHECK(batch.has_value() == (i < 2));
    if (batch) CHECK(batch->size() == 2);
  }
  queue.add(table(3));
  queue.reader_free();
  CHECK(queue.next(now)->size() == 3);
}

TEST_CASE("a batch is bounded") {
  load_queue queue;
  for (std::size_t i = 0; i <= load_batch_max; ++i) queue.add(table(static_cast<std::uint8_t>(i)));
  CHECK(queue.next(now)->size() == load_batch_max);
  CHECK(queue.next(now)->size() == 1);
}

TEST_CASE("who was in a batch that could not be read is read alone, after a while") {
  load_queue queue;
  for (std::uint8_t i = 0; i < 3; ++i) queue.add(table(i));
  const auto unread = queue.next(now);
  REQUIRE(unread);
  for (const auto& who : *unread) queue.add_failed(who, now);
  queue.reader_free();
  queue.tick(now + load_retry.count() - 1);
  CHECK_FALSE(queue.next(now));
  queue.tick(now + load_retry.count());
  for (int i = 0; i < 2; ++i) CHECK(queue.next(now)->size() == 1);
  queue.reader_free();
  CHECK(queue.next(now)->size() == 1);
  queue.reader_free();
  CHECK_FALSE(queue.next(now));
}

TEST_CASE("those to be read alone and the others take turns") {
  load_queue queue;
  for (std::uint8_t i = 0; i < 2; ++i) queue.add_suspect(table(i), 1);
  queue.add(table(10));
  CHECK(queue.next(now)->front() == table(0));
  CHECK(queue.next(now)->front() == table(10));
  queue.add(table(11));
  queue.reader_free();
  CHECK(queue.next(now)->front() == table(1));
}

TEST_CASE("after a death nothing is loaded before all of the last batch stand") {
  load_queue queue;
  queue.be_careful(an_hour_later);
  queue.add(table(1));
  queue.add(table(2));
  REQUIRE(queue.next(now)->size() == 2);
  queue.add(table(3));
  CHECK_FALSE(queue.next(now));  // one reader at a time
  queue.reader_free();
  CHECK_FALSE(queue.next(now));  // they are loading
  queue.settle(table(1));
  CHECK_FALSE(queue.next(now));
  queue.settle(table(3));  // not of this batch
  CHECK_FALSE(queue.next(now));
  queue.settle(table(2));
  CHECK(queue.next(now)->front() == table(3));
  queue.add(table(4));
  queue.reader_free();
  CHECK(queue.next(an_hour_later));  // the care ends with its time
}

TEST_CASE("of the suspects the one with the fewest strikes goes first") {
  load_queue queue;
  queue.be_careful(an_hour_later);
  for (const std::uint8_t strikes : {2, 1, 2}) queue.add_suspect(table(strikes), strikes);
  CHECK(queue.next(now)->front() == table(1));
  queue.reader_free();
  queue.settle(table(1));
  CHECK(queue.next(now)->front() == table(2));
}
