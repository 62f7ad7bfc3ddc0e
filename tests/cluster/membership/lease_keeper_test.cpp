#include "cluster/membership/lease_keeper.hpp"

namespace baraza::cluster {
namespace {

using time_point = lease_keeper::time_point;
using state = lease_keeper::state;
using std::chrono::milliseconds;

/// A lease whose store answers after `latency`, with a clock of its own.
struct scene {
  time_point now{1h};
  millis store_offset = 0;  // jumps when a test says so
  std::uint64_t connection = 1;
  lease_keeper lease{{}, now};

  [[nodiscard]] millis store_now() const {
    return std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count() + store_offset;
  }
  void renew(milliseconds latency = 5ms) {
    lease.sent(now);
    now += latency;
    lease.renewed(now, connection, store_now());
  }
  void renew_for(milliseconds length) {
    for (const auto until = now + length; now < until;) {
      while (!lease.is_due(now)) now += 10ms;
      renew();
    }
  }
};

}  // namespace

TEST_CASE("a lease counts from when its renewal was sent, not from when the answer came") {
  scene s;
  s.now += 1s;
  REQUIRE(s.lease.is_due(s.now));
  const auto sent = s.now;
  s.renew(3s);
  CHECK(s.lease.at(sent + lease_length - 1ms) == state::held);
  CHECK(s.lease.at(sent + lease_length) == state::suspended);
  CHECK_FALSE(s.lease.may_commit(sent + lease_length));
}

TEST_CASE("a renewal that took longer than the lease leaves the node suspended") {
  scene s;
  s.now += 1s;
  s.renew(6s);
  CHECK(s.lease.at(s.now) == state::suspended);
  CHECK(s.lease.is_due(s.now));
  s.renew();
  CHECK(s.lease.at(s.now) == state::held);
}

TEST_CASE("one renewal is on its way at a time, and a failed one is tried again soon") {
  scene s;
  CHECK_FALSE(s.lease.is_due(s.now));
  s.now += 1s;
  REQUIRE(s.lease.is_due(s.now));
  s.lease.sent(s.now);
  CHECK_FALSE(s.lease.is_due(s.now + 10s));
  s.now += 100ms;
  s.lease.failed(s.now);
  CHECK_FALSE(s.lease.is_due(s.now));
  CHECK(s.lease.is_due(s.now + lease_retry_every));
  CHECK(s.lease.next_look(s.now) == s.now + lease_retry_every);
}

TEST_CASE("a process that was paused past its lease is suspended at its first look") {
  scene s;
  s.renew_for(20s);
  REQUIRE(s.lease.may_judge(s.now));
  s.now += 30s;
  CHECK(s.lease.at(s.now) == state::suspended);
  CHECK_FALSE(s.lease.may_judge(s.now));
}

TEST_CASE("a suspended node resumes when the store still knows it, and is lost when it does not") {
  scene s;
  s.now += 8s;
  REQUIRE(s.lease.at(s.now) == state::suspended);
  SECTION("nobody took over") {
    s.renew();
    CHECK(s.lease.may_commit(s.now));
    CHECK_FALSE(s.lease.must_exit());
  }
  SECTION("declared dead") {
    s.lease.sent(s.now);
    s.lease.found_dead();
    s.lease.renewed(s.now, 1, s.store_now());  // an answer that overtook: changes nothing
    CHECK(s.lease.at(s.now) == state::lost);
    CHECK(s.lease.must_exit());
  }
}

TEST_CASE("an edge does not exit for a lost lease") {
  lease_keeper lease{{.owns_shards = false}, time_point{}};
  lease.found_dead();
  CHECK(lease.at(time_point{}) == state::lost);
  CHECK_FALSE(lease.must_exit());
}

TEST_CASE("a node judges others only after an unbroken run longer than lease + 1 s") {
  scene s;
  s.renew_for(1s);  // the run begins with its answer
  const auto began = s.now;
  s.renew_for(lease_length);
  REQUIRE(s.now - began <= lease_length + lease_judge_margin);
  CHECK_FALSE(s.lease.may_judge(s.now));
  s.renew_for(2s);
  REQUIRE(s.lease.may_judge(s.now));

  SECTION("a new connection begins a new run") {
    ++s.connection;
    s.renew_for(2s);
    CHECK_FALSE(s.lease.may_judge(s.now));
    s.renew_for(lease_length + lease_judge_margin);
    CHECK(s.lease.may_judge(s.now));
  }
  SECTION("a failed renewal begins a new run") {
    s.now += 1s;
    s.lease.sent(s.now);
    s.lease.failed(s.now);
    s.renew_for(3s);
    CHECK_FALSE(s.lease.may_judge(s.now));
  }
  SECTION("a store that stood still and goes on with the same connection begins a new run") {
    s.now += 1s;
    s.renew(4s);
    REQUIRE(s.lease.may_commit(s.now));
    CHECK_FALSE(s.lease.may_judge(s.now));
    s.renew_for(3s);
    CHECK_FALSE(s.lease.may_judge(s.now));
  }
  SECTION("a store that is silent for more than 1.5 s begins a new run") {
    s.now += 1s;
    s.renew(600ms);
    CHECK_FALSE(s.lease.may_judge(s.now));
  }
  SECTION("a store whose clock jumps forward, so that all leases look over, begins a new run") {
    s.store_offset += 20'000;
    s.renew_for(1s);
    CHECK_FALSE(s.lease.may_judge(s.now));
    s.renew_for(lease_length + lease_judge_margin + 1s);
    CHECK(s.lease.may_judge(s.now));
  }
  SECTION("not while its own renewal is overdue") { CHECK_FALSE(s.lease.may_judge(s.now + 3s)); }
}

}  // namespace baraza::cluster
