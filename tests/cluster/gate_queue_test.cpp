#include "cluster/gate_queue.hpp"

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

ticket_ptr ticket(std::uint8_t entity, activation_number activation = 1,
                  std::optional<std::uint8_t> transfer = {}) {
  auto made = std::make_shared<commit_ticket>();
  made->work.entity = table(entity);
  made->work.events = {"e"};
  made->activation = activation;
  if (transfer) {
    storage::transfer moved;
    moved.id.bytes[0] = *transfer;
    made->work.transfers.push_back(moved);
  }
  return made;
}

}  // namespace

TEST_CASE("what arrives during a flush goes out together in the next one, in order of arrival") {
  gate_queue queue{1};
  REQUIRE(queue.add(ticket(1)) == gate_queue::verdict::queued);
  REQUIRE(queue.next(0)->size() == 1);
  queue.add(ticket(2));
  queue.add(ticket(3));
  CHECK_FALSE(queue.next(0));  // the writer is busy
  queue.flushed(0);
  const auto batch = queue.next(0);
  REQUIRE(batch->size() == 2);
  CHECK(batch->at(0)->work.entity == table(2));
  CHECK(batch->at(1)->work.entity == table(3));
  CHECK(queue.size() == 0);
}

TEST_CASE("a transfer id never stands twice in one batch") {
  gate_queue queue{1};
  queue.add(ticket(1, 1, 7));
  queue.add(ticket(2, 1, 7));
  queue.add(ticket(3, 1, 8));
  auto first = queue.next(0);
  REQUIRE(first->size() == 2);
  CHECK(first->at(1)->work.entity == table(3));
  queue.flushed(0);
  auto second = queue.next(0);
  REQUIRE(second->size() == 1);
  CHECK(second->at(0)->work.entity == table(2));
}

TEST_CASE("a batch is bounded in members and bytes, yet always takes one commit") {
  gate_queue queue{1};
  for (std::size_t i = 0; i < batch_members_max + 5; ++i)
    queue.add(ticket(static_cast<std::uint8_t>(i % 250)));
  CHECK(queue.next(0)->size() == batch_members_max);
  queue.flushed(0);
  CHECK(queue.next(0)->size() == 5);
  queue.flushed(0);
  auto large = ticket(1);
  large->work.events = {std::string(batch_bytes_max + 1, 'x')};
  queue.add(large);
  queue.add(ticket(2));
  CHECK(queue.next(0)->size() == 1);
}

TEST_CASE("an entity always goes through the same writer") {
  gate_queue queue{3};
  for (std::uint8_t n = 0; n < 50; ++n)
    CHECK(queue.writer_of(table(n)) == queue.writer_of(table(n)));
  std::array<int, 3> used{};
  for (std::uint8_t n = 0; n < 200; ++n) ++used[queue.writer_of(table(n))];
  for (const auto count : used) CHECK(count > 30);
}

TEST_CASE("commits of an earlier life are refused once it is barred, queued ones are taken out") {
  gate_queue queue{1};
  queue.add(ticket(1, 1));
  queue.add(ticket(2, 1));
  std::vector<ticket_ptr> dropped;
  CHECK(queue.raise_bar({table(1), 2},
                        dropped));  // nothing is in flight: the journal may be read at once
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0]->work.entity == table(1));
  CHECK(queue.add(ticket(1, 1)) == gate_queue::verdict::stale);
  CHECK(queue.add(ticket(1, 2)) == gate_queue::verdict::queued);
}

TEST_CASE("a new life reads the journal only after the flush in flight has ended") {
  gate_queue queue{1};
  queue.add(ticket(1, 1));
  REQUIRE(queue.next(0));
  std::vector<ticket_ptr> dropped;
  CHECK_FALSE(queue.raise_bar({table(1), 2}, dropped));
  const auto waiting = queue.flushed(0);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].who == table(1));
  CHECK(queue.flushed(0).empty());  // said once
}

TEST_CASE("idle means nothing queued and nothing in flight") {
  gate_queue queue{2};
  CHECK(queue.idle());
  queue.add(ticket(1));
  CHECK_FALSE(queue.idle());
  const auto writer = queue.writer_of(table(1));
  REQUIRE(queue.next(writer));
  CHECK_FALSE(queue.idle());
  queue.flushed(writer);
  CHECK(queue.idle());
}

TEST_CASE("a commit that its host is changing is left for the next batch, as it then is") {
  using hold = commit_ticket::hold;
  gate_queue queue{1};
  const auto first = ticket(1), second = ticket(2);
  queue.add(first);
  queue.add(second);
  first->held = hold::changing;
  const auto batch = queue.next(0);
  REQUIRE(batch->size() == 1);
  CHECK(batch->at(0) == second);
  CHECK(second->held == hold::sealed);
  CHECK(queue.size() == 1);
  queue.flushed(0);
  const auto none = queue.next(0);
  REQUIRE(none);
  CHECK(none->empty());
  first->work.events.push_back("more");
  first->held = hold::open;
  const auto then = queue.next(0);  // the writer was not taken for busy
  REQUIRE(then->size() == 1);
  CHECK(then->at(0)->work.events.size() == 2);
  CHECK(first->held == hold::sealed);
}
