// A commit whose connection is lost is applied once, whatever the moment: rule A4 on a real server.
#include <atomic>
#include <csignal>
#include <stdexcept>
#include <thread>

#include "tests/storage/postgres_world.hpp"
#include "tests/storage/tcp_proxy.hpp"

namespace baraza::tests {
namespace {

using storage::errc;
using fault = tcp_proxy::fault;

/// A player with 100 in the account, whose next commit goes through a proxy.
struct scene {
  postgres_world world;
  uuid player = uuid::v4();
  tcp_proxy proxy{world.server.port(), "commit_plain"};
  std::unique_ptr<storage::store> far;
  std::unique_ptr<storage::writer> writer;
  storage::commit next;

  explicit scene(const storage::postgres::timing& times = {}) {
    const auto first = world.grant(player, 0, 100, true);
    REQUIRE(world.writer()->apply({world.next_id(), {&first}}).members.at(0).code == errc::none);
    far = postgres_world::open(world.server.url_through(proxy.port(), world.database), times);
    writer = world.writer_of(*far);
    next = world.grant(player, 1, 7);
  }
  storage::batch batch() { return {world.next_id(), {&next}}; }
  /// The second commit is there exactly once.
  void require_applied_once() {
    CHECK(world.events_of(next.entity) == 2);
    CHECK(world.balance_of(player) == 107);
    world.require_clean();
  }
  [[nodiscard]] std::string backend() const {
    return world.server.sql(
        world.database,
        "select pid from pg_stat_activity where datname = current_database() "
        "and application_name like 'baraza-%-w0' order by backend_start limit 1");
  }
  void wait_for_lock() const {  // the commit hangs in the server
    for (int i = 0; i < 1000; ++i) {
      if (world.server.sql(
              world.database,
              "select count(*) from pg_stat_activity where datname = current_database() and "
              "application_name like 'baraza-%-w0' and wait_event_type = 'Lock'") != "0")
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
    }
    FAIL("the commit does not wait for the lock");
  }
};

/// Holds the row lock of a player's account until the object ends.
class row_lock {
 public:
  explicit row_lock(const scene& s) : server_{s.world.server}, database_{s.world.database} {
    thread_ = std::thread{[this, player = s.player] {
      try {
        server_.sql(
            database_,
            "set application_name = 'row_lock'; begin; select 1 from account where owner = '" +
                player.to_string() + "' for update; select pg_sleep(60)");
      } catch (const std::runtime_error&) {  // release() ended its backend
      }
    }};
    for (int i = 0; i < 1000 && state() != "active"; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
  }
  ~row_lock() { release(); }
  void release() {
    if (!thread_.joinable()) return;
    server_.sql(database_,
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = "
                "'row_lock' "
                "and datname = '" +
                    database_ + "'");
    thread_.join();
  }

 private:
  std::string state() {
    return server_.sql(database_,
                       "select state from pg_stat_activity where application_name = 'row_lock' and "
                       "wait_event = 'PgSleep' "
                       "and datname = current_database()");
  }
  const postgres_server& server_;
  std::string database_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a commit lost before the server saw it is not there, and is applied when sent again",
          "[postgres]") {
  scene s;
  s.proxy.arm(fault::lose_request);
  const auto lost = s.batch();
  REQUIRE(s.writer->apply(lost).code == errc::unknown);
  REQUIRE(s.proxy.has_struck());
  const auto resolved = s.writer->resolve(lost);
  REQUIRE(resolved.code == errc::none);
  CHECK(resolved.members.at(0).code == errc::unavailable);
  CHECK(s.world.events_of(s.next.entity) == 1);
  REQUIRE(s.writer->apply(s.batch()).members.at(0).code == errc::none);
  s.require_applied_once();
}

TEST_CASE("a commit whose answer was lost is found applied", "[postgres]") {
  scene s;
  s.proxy.arm(fault::lose_answer);
  const auto lost = s.batch();
  REQUIRE(s.writer->apply(lost).code == errc::unknown);
  const auto resolved = s.writer->resolve(lost);
  REQUIRE(resolved.code == errc::none);
  REQUIRE(resolved.members.at(0).code == errc::none);
  REQUIRE(resolved.members[0].balances.size() == 1);
  CHECK(resolved.members[0].balances[0].amount == 107);
  CHECK(s.writer->apply(s.batch()).members.at(0).code ==
        errc::seq_conflict);  // sent again all the same: not twice
  s.require_applied_once();
}

TEST_CASE("a commit that its old backend finishes later is waited for, not called lost",
          "[postgres]") {
  scene s{{.lock = std::chrono::seconds{4}}};
  row_lock lock{s};
  s.proxy.arm(fault::half_open);
  const auto lost = s.batch();
  REQUIRE(s.writer->apply(lost).code == errc::unknown);
  s.wait_for_lock();
  std::atomic<bool> answered = false;
  storage::batch_result resolved;
  std::thread resolver{[&] {
    resolved = s.writer->resolve(lost);
    answered = true;
  }};
  for (int i = 0; i < 1000;
       ++i) {  // both wait now: the old backend for the account, resolve() for the fence row
    const auto waiting =
        s.world.server.sql(s.world.database,
                           "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                           "and datname = current_database()");
    if (waiting == "2") break;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
  }
  CHECK_FALSE(answered);
  lock.release();
  resolver.join();
  REQUIRE(resolved.code == errc::none);
  CHECK(resolved.members.at(0).code == errc::none);
  s.require_applied_once();
}

TEST_CASE("a commit that the network delivers after resolve() writes nothing", "[postgres]") {
  scene s;
  s.proxy.arm(fault::hold_request);
  const auto lost = s.batch();
  REQUIRE(s.writer->apply(lost).code == errc::unknown);
  const auto resolved = s.writer->resolve(lost);
  REQUIRE(resolved.code == errc::none);
  REQUIRE(resolved.members.at(0).code == errc::unavailable);
  const auto old = s.backend();
  s.proxy.deliver();
  for (int i = 0; i < 1000; ++i) {  // until the old backend has worked the statement off
    if (s.world.server.sql(s.world.database,
                           "select count(*) from pg_stat_activity where pid = " + old +
                               " and state = 'idle' and query like '%fence_row%'") == "1")
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
  }
  CHECK(s.world.events_of(s.next.entity) == 1);
  REQUIRE(s.writer->apply(s.batch()).members.at(0).code == errc::none);
  s.require_applied_once();
}

TEST_CASE("a stopped backend leaves the outcome unknown until it goes on", "[postgres]") {
  scene s{{.statement = std::chrono::seconds{5},
           .lock = std::chrono::milliseconds{300},
           .commit_deadline = std::chrono::milliseconds{600}}};
  const auto backend = std::stoi(s.backend());
  storage::batch_result first;
  const auto lost = s.batch();
  {
    row_lock lock{s};
    std::thread committer{[&] { first = s.writer->apply(lost); }};
    s.wait_for_lock();
    REQUIRE(kill(backend, SIGSTOP) == 0);
    committer.join();
  }
  REQUIRE(first.code == errc::unknown);
  const auto early = s.writer->resolve(lost);  // the fence row is held by the stopped backend
  CHECK(early.code == errc::unknown);
  REQUIRE(kill(backend, SIGCONT) == 0);
  auto resolved = s.writer->resolve(lost);
  for (int i = 0; i < 50 && resolved.code == errc::unknown; ++i) resolved = s.writer->resolve(lost);
  REQUIRE(resolved.code == errc::none);
  // Its client is gone, so the backend may have given up or committed: resolve() must say which.
  CHECK((resolved.members.at(0).code == errc::none) == (s.world.events_of(s.next.entity) == 2));
  if (resolved.members[0].code != errc::none)
    REQUIRE(s.writer->apply(s.batch()).members.at(0).code == errc::none);
  s.require_applied_once();
}

}  // namespace baraza::tests
