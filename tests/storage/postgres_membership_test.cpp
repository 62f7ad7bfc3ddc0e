// Members, votes and shard rows on a real PostgreSQL: who may change what, and what a commit meets.
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "storage/membership.hpp"
#include "tests/storage/membership_scene.hpp"
#include "tests/storage/tcp_proxy.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace baraza::tests {
namespace {

using storage::errc;
using storage::member_status;
using storage::shard_change;
using storage::shard_row;
using storage::vote_kind;
constexpr auto shards = membership_scene::shards;
using scene = membership_scene;

errc apply(storage::writer& by, const storage::node_grant& node, const storage::commit& what,
           std::uint64_t number) {
  const auto result = by.apply({{node.incarnation, 0, number}, {&what}});
  return result.code != errc::none ? result.code : result.members.at(0).code;
}

}  // namespace

TEST_CASE("a member joins, comes up, drains and leaves; the living see each step", "[postgres]") {
  scene s;
  const auto one = s.try_join("one");
  REQUIRE(one);
  auto state = s.state();
  REQUIRE(state.members.size() == 1);
  CHECK(state.members[0].status == member_status::joining);
  CHECK(state.shards.size() == shards);
  CHECK(state.shards[3] == shard_row{3, 0, 0, 0, state.shards[3].since});
  CHECK(s.members->take(one->incarnation, std::vector<shard_change>{{0, 0}}).why().code ==
        errc::fenced);  // not up yet
  const auto version = state.version;
  REQUIRE(s.members->set_status(one->incarnation, member_status::up));
  CHECK(s.state().version > version);
  CHECK(s.members->read(s.state().version)->shards.empty());
  REQUIRE(s.members->set_status(one->incarnation, member_status::draining));
  REQUIRE(s.members->set_status(one->incarnation, member_status::up));
  s.take_all(one->incarnation);
  CHECK(s.members->set_status(one->incarnation, member_status::left).why().code == errc::invalid);
  std::vector<shard_change> all;
  for (const auto& row : s.state().shards) all.push_back({row.id, row.epoch});
  REQUIRE(s.members->release(one->incarnation, all));
  REQUIRE(s.members->set_status(one->incarnation, member_status::left));
  CHECK(s.state().members.empty());
  CHECK(s.members->set_status(one->incarnation, member_status::up).why().code == errc::fenced);
  CHECK(s.members->renew(one->incarnation, 5000).why().code == errc::fenced);
}

TEST_CASE("a living name and another shard count are refused", "[postgres]") {
  scene s;
  const auto one = s.join("one");
  CHECK(s.try_join("one").why().code == errc::exists);
  CHECK(s.try_join("two", shards + 1).why().code == errc::incompatible);
  REQUIRE(s.members->set_status(one.incarnation, member_status::left));
  const auto again = s.try_join("one");
  REQUIRE(again);
  CHECK(again->incarnation > one.incarnation);
}

TEST_CASE("a renewal lengthens the lease by the store's clock and tells the view", "[postgres]") {
  scene s;
  const auto one = s.join("one");
  const auto renewed = s.members->renew(one.incarnation, 7000);
  REQUIRE(renewed);
  const auto m = s.state().members.at(0);
  CHECK(m.renewed_at == renewed->now);
  CHECK(m.lease_until == renewed->now + 7000);
  CHECK(renewed->version == s.state().version);
  CHECK(s.members->renew(one.incarnation, 7000)->connection == renewed->connection);
  CHECK(s.open()->renew(one.incarnation, 7000)->connection != renewed->connection);
}

TEST_CASE("votes are stamped, refreshed, withdrawn, and only of members that are up",
          "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  const auto three = s.try_join("three");
  REQUIRE(three);
  auto seen = s.members->accuse(one.incarnation, two.incarnation, vote_kind::silent, 0);
  REQUIRE(seen);
  REQUIRE(seen->votes.size() == 1);
  CHECK(seen->shards.size() == shards);
  const auto first = seen->votes[0].at;
  CHECK(std::abs(seen->now - first) < 1000);
  seen = s.members->accuse(one.incarnation, two.incarnation, vote_kind::store_lost, 0);
  REQUIRE(seen->votes.size() == 1);
  CHECK(seen->votes[0].kind == vote_kind::store_lost);
  CHECK(seen->votes[0].at >= first);
  CHECK(s.members->accuse(three->incarnation, two.incarnation, vote_kind::silent, 0).why().code ==
        errc::fenced);
  REQUIRE(s.members->withdraw(one.incarnation, two.incarnation));
  CHECK(s.state().votes.empty());
}

TEST_CASE("a shard is taken once an epoch, and released only by its owner", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  const std::vector<shard_change> first{{2, 0}};
  auto rows = s.members->take(one.incarnation, first);
  REQUIRE(rows);
  CHECK(rows->at(0).owner == one.incarnation);
  CHECK(rows->at(0).epoch == 1);
  rows = s.members->take(two.incarnation, first);  // too late: learns whose it is
  CHECK(rows->at(0).owner == one.incarnation);
  rows = s.members->take(one.incarnation, first);  // the answer was lost: asked again
  CHECK(rows->at(0).epoch == 1);
  const std::vector<shard_change> away{{2, 1, two.incarnation}};
  rows = s.members->release(two.incarnation, away);
  CHECK(rows->at(0).owner == one.incarnation);
  for (int i = 0; i < 2; ++i) {
    rows = s.members->release(one.incarnation, away);
    REQUIRE(rows);
    CHECK(rows->at(0).owner == two.incarnation);
    CHECK(rows->at(0).next_owner == 0);
    CHECK(rows->at(0).epoch == 2);
  }
  CHECK(s.members->take(two.incarnation, std::vector<shard_change>{{2, 1}})->at(0).epoch == 2);
}

TEST_CASE("a release gives to who may own shards; for others the shard is free", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two"), three = s.join("three");
  REQUIRE(s.members->take(one.incarnation, std::vector<shard_change>{{2, 0}, {3, 0}}));
  const auto who = std::to_string(two.incarnation);
  auto next = two.incarnation;
  SECTION("it leaves") { REQUIRE(s.members->set_status(next, member_status::draining)); }
  SECTION("it is past its lease") {
    s.server.sql(s.database, "update lease set expires_at = 1 where incarnation = " + who);
  }
  SECTION("its weight is 0") {
    s.server.sql(s.database, "update node set weight = 0 where incarnation = " + who);
  }
  SECTION("it has left") {
    REQUIRE(s.members->set_status(next, member_status::draining));
    REQUIRE(s.members->set_status(next, member_status::left));
  }
  SECTION("it is dead") { s.declare(one.incarnation, next, one.incarnation); }
  SECTION("it has only joined") { next = s.try_join("four")->incarnation; }
  SECTION("nobody is named") { next = 0; }
  const auto version = s.state().version;
  const auto rows = s.members->release(
      one.incarnation, std::vector<shard_change>{{2, 1, next}, {3, 1, three.incarnation}});
  REQUIRE(rows);
  REQUIRE(rows->size() == 2);
  CHECK(rows->at(0) == storage::shard_row{2, 0, 1, next, rows->at(0).since});
  CHECK(rows->at(1) == storage::shard_row{3, three.incarnation, 2, 0, rows->at(1).since});
  CHECK(s.state().version == version + 1);
  const auto taken = s.members->take(three.incarnation, std::vector<shard_change>{{2, 1}});
  CHECK(taken->at(0) == storage::shard_row{2, three.incarnation, 2, 0, taken->at(0).since});
}

TEST_CASE("after a release the old owner's commits are refused, the rest of its shards go on",
          "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  s.take_all(one.incarnation);
  auto writer = s.writer(one);
  const auto before = s.commit_in(3);
  REQUIRE(apply(*writer, one, before, 1) == errc::none);
  auto late = s.commit_in(3);
  const auto elsewhere = s.commit_in(4);
  REQUIRE(s.members->release(one.incarnation, std::vector<shard_change>{{3, 1, two.incarnation}}));
  CHECK(apply(*writer, one, late, 2) == errc::stale_epoch);
  CHECK(apply(*writer, one, elsewhere, 3) == errc::none);
  auto theirs = s.writer(two);
  late.epoch = 2;
  CHECK(apply(*theirs, two, late, 1) == errc::none);
}

TEST_CASE("a commit still on its way when its shard is released writes nothing", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  const auto to = GENERATE_COPY(std::uint64_t{0}, two.incarnation);
  s.take_all(one.incarnation);
  tcp_proxy proxy{s.server.port(), "commit_plain"};
  auto far = postgres_world::open(s.server.url_through(proxy.port(), s.database));
  auto opened = far->open_writer(one, 0);
  REQUIRE(opened);
  const auto late = s.commit_in(3);
  proxy.arm(tcp_proxy::fault::lose_request);  // sent, not arrived
  REQUIRE(apply(**opened, one, late, 1) == errc::unknown);
  const auto generation = [&] {
    return std::stoi(s.server.sql(s.database, "select generation from fence where incarnation = " +
                                                  std::to_string(one.incarnation) +
                                                  " and writer = 0"));
  };
  const auto sent_under = generation();
  REQUIRE(s.members->release(one.incarnation, std::vector<shard_change>{{3, 1, to}}));
  CHECK(generation() > sent_under);  // whatever arrives now finds no fence row
  const auto resolved = (*opened)->resolve({{one.incarnation, 0, 1}, {&late}});
  REQUIRE(resolved.code == errc::none);
  CHECK(resolved.members.at(0).code == errc::unavailable);  // not there
  CHECK(apply(**opened, one, late, 2) == errc::stale_epoch);
}

TEST_CASE("the dead are fenced, their shards and due wake rows handed on, in one step",
          "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  s.take_all(one.incarnation);
  auto writer = s.writer(one);
  auto due = s.commit_in(3);
  due.wake = storage::commit::wake_change::set;
  due.wake_at = 1;
  REQUIRE(apply(*writer, one, due, 1) == errc::none);
  REQUIRE(s.members->accuse(two.incarnation, one.incarnation, vote_kind::silent, 0));
  const auto version = s.state().version;
  const std::uint64_t dead[] = {one.incarnation};
  auto changes = s.all_of(one.incarnation, two.incarnation);

  SECTION("with a shard forgotten: refused, nothing changed") {
    changes.pop_back();
    CHECK(s.members->declare_dead(two.incarnation, version, dead, changes).why().code ==
          errc::invalid);
    CHECK(s.state().version == version);
    CHECK(apply(*writer, one, s.commit_in(3), 2) == errc::none);
  }
  SECTION("by one who counted in an older view: counts again, and the fence is still open") {
    s.join("three");
    const auto done = s.members->declare_dead(two.incarnation, version, dead, changes);
    REQUIRE(done);
    CHECK_FALSE(*done);
    CHECK(apply(*writer, one, s.commit_in(3), 2) == errc::none);
  }
  SECTION("by one who is dead itself: refused") {
    CHECK(s.members->declare_dead(99, version, dead, changes).why().code == errc::fenced);
  }
  SECTION("by a member") {
    const auto late = s.commit_in(3);
    const auto done = s.members->declare_dead(two.incarnation, version, dead, changes);
    REQUIRE(done);
    REQUIRE(*done);
    const auto state = s.state();
    CHECK(state.votes.empty());
    REQUIRE(state.members.size() == 1);
    for (const auto& row : state.shards) {
      CHECK(row.owner == two.incarnation);
      CHECK(row.epoch == 2);
    }
    CHECK(apply(*writer, one, late, 2) == errc::fenced);
    CHECK(s.members->renew(one.incarnation, 5000).why().code == errc::fenced);
    CHECK(s.members->take(one.incarnation, std::vector<shard_change>{{0, 2}}).why().code ==
          errc::fenced);
    CHECK(apply(*s.writer(two), two, s.commit_in(3), 1) == errc::none);
  }
}

TEST_CASE("who is declared dead while his take and release wait changes nothing, and is given none",
          "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  REQUIRE(s.members->take(one.incarnation, std::vector<shard_change>{{1, 0}}));
  REQUIRE(s.members->take(two.incarnation, std::vector<shard_change>{{4, 0}}));
  const auto self = std::to_string(one.incarnation);
  const auto version = s.state().version;
  const auto count = [&](const char* of) {
    return s.server.sql(s.database,
                        std::string{"select count(*) from pg_stat_activity where datname = "
                                    "current_database() and "} +
                            of);
  };
  const auto becomes = [&](const char* of, const std::string& wanted) {
    for (int i = 0; i < 1000 && count(of) != wanted; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
    return count(of) == wanted;
  };
  // Takes its locks in the order of a death: fence rows, the view. What waits must see what it did.
  auto death = std::async(std::launch::async, [&] {
    s.server.sql(s.database, "begin; update fence set open = false where incarnation = " + self +
                                 "; select from cluster_view for update; select pg_sleep(1.5); "
                                 "update node set status = 'dead' where incarnation = " +
                                 self + "; commit");
  });
  REQUIRE(becomes("wait_event = 'PgSleep'", "1"));
  auto taken = std::async(std::launch::async, [&, mine = s.open()] {
    return mine->take(one.incarnation, std::vector<shard_change>{{2, 0}}).why().code;
  });
  auto released = std::async(std::launch::async, [&, mine = s.open()] {
    return mine->release(one.incarnation, std::vector<shard_change>{{1, 1}}).why().code;
  });
  auto given = std::async(std::launch::async, [&, mine = s.open()] {
    return mine->release(two.incarnation, std::vector<shard_change>{{4, 1, one.incarnation}});
  });
  CHECK(becomes("wait_event_type = 'Lock'", "3"));
  CHECK(count("wait_event = 'PgSleep'") == "1");  // the death is not over yet
  death.get();
  CHECK(taken.get() == errc::fenced);
  CHECK(released.get() == errc::fenced);
  REQUIRE(given.get());
  const auto state = s.state();
  CHECK(state.version == version + 1);  // of two's release alone
  CHECK(state.shards[4].owner == 0);
  CHECK(state.shards[4].next_owner == one.incarnation);
  CHECK(state.shards[2].owner == 0);
  CHECK(state.shards[1].owner == one.incarnation);
}

TEST_CASE("a commit that hangs does not hold up its node's death", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  s.take_all(one.incarnation);
  auto writer = s.writer(one);
  // Another session holds what the commit needs after its fence row: it hangs with the fence
  // locked.
  const auto stuck = s.commit_in(3);
  auto holder = std::async(std::launch::async, [&] {
    s.server.sql(s.database, "begin; lock table journal_wallet in share mode; select pg_sleep(4)");
  });
  const auto waits = [&](const char* what) {
    for (int i = 0; i < 1000; ++i) {
      if (s.server.sql(s.database, what) != "0") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});  // polls: at most 5 s
    }
    return false;
  };
  REQUIRE(
      waits("select count(*) from pg_locks l join pg_class c on c.oid = l.relation where "
            "relname = 'journal_wallet' and mode = 'ShareLock' and granted"));
  auto hanging = std::async(std::launch::async, [&] { return apply(*writer, one, stuck, 1); });
  REQUIRE(
      waits("select count(*) from pg_stat_activity where datname = current_database() and "
            "application_name like 'baraza-%-w0' and wait_event_type = 'Lock'"));
  const auto began = std::chrono::steady_clock::now();
  s.declare(two.incarnation, one.incarnation, two.incarnation);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::milliseconds{1500});
  const auto outcome = hanging.get();
  CHECK((outcome == errc::unknown || outcome == errc::fenced || outcome == errc::unavailable));
  holder.get();
  CHECK(s.server.sql(s.database, "select count(*) from journal") == "0");
}

TEST_CASE("two declarers of one view: one wins, the other counts again", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two"), three = s.join("three");
  s.take_all(one.incarnation);
  const auto version = s.state().version;
  const std::uint64_t dead[] = {one.incarnation};
  std::vector<std::future<bool>> done;
  for (const auto by : {two.incarnation, three.incarnation}) {
    const auto changes = s.all_of(one.incarnation, by);
    done.push_back(
        std::async(std::launch::async, [by, changes, version, &dead, mine = s.open()]() mutable {
          const auto answer = mine->declare_dead(by, version, dead, changes);
          return answer && *answer;
        }));
  }
  CHECK(done[0].get() != done[1].get());
  const auto owner = s.state().shards.at(0).owner;
  for (const auto& row : s.state().shards) CHECK((row.owner == owner && row.epoch == 2));
}

TEST_CASE("there is one coordinator; the next one has a higher epoch", "[postgres]") {
  scene s;
  const auto one = s.join("one"), two = s.join("two");
  CHECK(*s.members->coordinate(one.incarnation, 60'000) == 1);
  CHECK(*s.members->coordinate(one.incarnation, 60'000) == 1);
  CHECK(*s.members->coordinate(two.incarnation, 60'000) == 0);
  CHECK(s.state().coordinator == one.incarnation);
  SECTION("its node dies: free at once") {
    s.declare(two.incarnation, one.incarnation, two.incarnation);
    CHECK(*s.members->coordinate(two.incarnation, 60'000) == 2);
  }
  SECTION("it drains: another one need not wait for its lease") {
    REQUIRE(s.members->set_status(one.incarnation, member_status::draining));
    CHECK(*s.members->coordinate(one.incarnation, 60'000) == 0);
    CHECK(*s.members->coordinate(two.incarnation, 60'000) == 2);
  }
  SECTION("its lease is over") {
    CHECK(*s.members->coordinate(one.incarnation, -1) == 1);
    CHECK(s.state().coordinator == 0);
    CHECK(*s.members->coordinate(two.incarnation, 60'000) == 2);
    CHECK(*s.members->coordinate(one.incarnation, 60'000) == 0);
  }
}

TEST_CASE("the embedded store says that it serves one node") {
  const temporary_folder folder;
  auto store = storage::open("sqlite:" + folder.path().string());
  REQUIRE(store);
  CHECK((*store)->open_membership().why().code == errc::invalid);
}

}  // namespace baraza::tests
