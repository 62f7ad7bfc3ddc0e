#include "cluster/membership/vote_count.hpp"

#include <algorithm>

#include "tests/cluster/membership/seed.hpp"

namespace baraza::cluster {
namespace {

using storage::cluster_state;
using storage::member_status;
using storage::vote_kind;
using sentences = std::vector<sentence>;
constexpr auto by_votes = cause_of_death::votes;

constexpr millis now = 1'000'000;
constexpr millis lease_ms = 5000;

/// `count` members, all up and just renewed.
cluster_state cluster_of(std::uint64_t count) {
  cluster_state s{.version = 1, .now = now};
  for (std::uint64_t i = 1; i <= count; ++i)
    s.members.push_back({.incarnation = i,
                         .status = member_status::up,
                         .renewed_at = now - 300,
                         .lease_until = now - 300 + lease_ms});
  return s;
}
void renewed(cluster_state& s, std::uint64_t who, millis ago) {
  auto& m = s.members.at(who - 1);
  m.renewed_at = now - ago;
  m.lease_until = m.renewed_at + lease_ms;
}
void vote_on(cluster_state& s, std::uint64_t accuser, std::uint64_t accused,
             vote_kind kind = vote_kind::silent, millis ago = 100) {
  s.votes.push_back({accuser, accused, kind, now - ago});
}

}  // namespace

TEST_CASE("two voters declare a member dead, one does not") {
  auto s = cluster_of(4);
  vote_on(s, 1, 4);
  CHECK(count_votes(s, false).empty());
  vote_on(s, 1, 4);  // the same one again
  CHECK(count_votes(s, false).empty());
  vote_on(s, 2, 4);
  CHECK(count_votes(s, false) == sentences{{4, by_votes}});
}

TEST_CASE("a vote counts for 5 s, while its voter is up, and never against the voter itself") {
  auto s = cluster_of(4);
  vote_on(s, 1, 4);
  SECTION("too old") { vote_on(s, 2, 4, vote_kind::silent, 5001); }
  SECTION("a voter that is joining") {
    vote_on(s, 2, 4);
    s.members[1].status = member_status::joining;
  }
  SECTION("a voter past its lease") {
    vote_on(s, 2, 4);
    renewed(s, 2, lease_ms + 1);
  }
  SECTION("a voter that left") {
    vote_on(s, 2, 4);
    s.members.erase(s.members.begin() + 1);
  }
  SECTION("its own") { vote_on(s, 4, 4); }
  CHECK(count_votes(s, false).empty());
}

TEST_CASE("of two members, the other one's vote is enough, and only one of them can fall") {
  auto s = cluster_of(2);
  vote_on(s, 1, 2);
  CHECK(count_votes(s, false) == sentences{{2, by_votes}});
  vote_on(s, 2, 1);
  CHECK(count_votes(s, false) == sentences{{2, by_votes}});
}

TEST_CASE("a node cut off from its peers, not from the store, falls alone") {
  auto s = cluster_of(3);
  vote_on(s, 1, 2);
  vote_on(s, 1, 3);
  CHECK(count_votes(s, false).empty());  // its votes came first: the others can still vote
  vote_on(s, 3, 1);
  CHECK(count_votes(s, false).empty());
  vote_on(s, 2, 1);
  CHECK(count_votes(s, false) == sentences{{1, by_votes}});
}

TEST_CASE("who is accused but heard by the store could still vote, however many are joining") {
  auto s = cluster_of(6);
  for (std::size_t i = 3; i < 6; ++i) s.members[i].status = member_status::joining;
  vote_on(s, 1, 2);
  vote_on(s, 1, 3);
  CHECK(count_votes(s, false).empty());
}

TEST_CASE("the sole survivor of three declares both others dead once the store misses them too") {
  auto s = cluster_of(3);
  vote_on(s, 1, 2);
  vote_on(s, 1, 3);
  renewed(s, 2, 2600);
  renewed(s, 3, 2600);
  CHECK(count_votes(s, true) == sentences{{2, by_votes}, {3, by_votes}});
}

TEST_CASE(
    "after the store's own silence one vote is not enough, however long it has heard nobody") {
  auto s = cluster_of(4);
  for (std::uint64_t i = 1; i <= 4; ++i) renewed(s, i, 7'000);
  renewed(s, 4, 100);  // the first to renew; its peers did not answer it while it was cut off
  for (std::uint64_t i = 1; i <= 3; ++i) vote_on(s, 4, i);
  CHECK(count_votes(s, false).empty());
  CHECK(count_votes(s, true).size() == 3);  // had the store been there all the time
}

TEST_CASE("votes take no second one of three, however many are joining") {
  auto s = cluster_of(6);
  for (std::size_t i = 3; i < 6; ++i) s.members[i].status = member_status::joining;
  vote_on(s, 2, 1, vote_kind::silent, 4500);  // landed late, and is not withdrawn yet
  vote_on(s, 3, 1);                           // 3 was cut off from both
  vote_on(s, 3, 2);
  vote_on(s, 2, 3, vote_kind::silent, 4500);
  CHECK(count_votes(s, false).empty());
}

TEST_CASE("the smaller side of a split waits for the larger one's votes") {
  auto s = cluster_of(5);
  for (std::uint64_t small : {1, 2})
    for (std::uint64_t large : {3, 4, 5}) vote_on(s, small, large);
  CHECK(count_votes(s, false).empty());
  for (std::uint64_t large : {3, 4, 5})
    for (std::uint64_t small : {1, 2}) vote_on(s, large, small);
  CHECK(count_votes(s, false) == sentences{{1, by_votes}, {2, by_votes}});
}

TEST_CASE("a split into halves leaves one half") {
  auto s = cluster_of(4);
  for (std::uint64_t a : {1, 2})
    for (std::uint64_t b : {3, 4}) vote_on(s, a, b), vote_on(s, b, a);
  CHECK(count_votes(s, false) == sentences{{3, by_votes}, {4, by_votes}});
}

TEST_CASE("leases that are over count only for one who may judge") {
  auto s = cluster_of(4);
  for (std::uint64_t i = 2; i <= 4; ++i) renewed(s, i, 20'000);  // the store was away; 1 is first
  CHECK(count_votes(s, false).empty());
  CHECK(count_votes(s, true).size() == 3);
  renewed(s, 3, 100);
  CHECK(count_votes(s, true) == sentences{{2, cause_of_death::lease}, {4, cause_of_death::lease}});
}

TEST_CASE("who is cut off from the store falls by one vote, unless the store has heard it since") {
  auto s = cluster_of(5);
  vote_on(s, 1, 5, vote_kind::store_lost);
  CHECK(count_votes(s, false).empty());
  renewed(s, 5, 4900);
  CHECK(count_votes(s, false).empty());  // the store may have been away for all
  CHECK(count_votes(s, true) == sentences{{5, cause_of_death::store_lost}});
}

TEST_CASE("votes never take the last member, nor more than half of those the store hears") {
  const auto seed = tests::schedule_seed();
  CAPTURE(seed);
  tests::random_source random{seed};
  std::size_t sentenced = 0;
  for (int round = 0; round < 20'000; ++round) {
    CAPTURE(round);
    const bool may_judge = tests::pick(random, 0, 1) == 0;
    const auto count = static_cast<std::uint64_t>(tests::pick(random, 1, 9));
    auto s = cluster_of(count);
    for (std::uint64_t i = 1; i <= count; ++i)
      if (tests::pick(random, 0, 3) == 0)
        renewed(s, i, tests::pick(random, 0, may_judge ? 5000 : 6000));
    for (auto votes = tests::pick(random, 0, 30); votes > 0; --votes)
      vote_on(s, static_cast<std::uint64_t>(tests::pick(random, 1, 9)),
              static_cast<std::uint64_t>(tests::pick(random, 1, 9)), vote_kind::silent,
              tests::pick(random, 0, 6000));
    const auto dead = count_votes(s, may_judge);
    sentenced += dead.size();
    REQUIRE(dead.size() < std::max<std::size_t>(count, 1));
    std::size_t heard = 0;
    for (const auto& d : dead) heard += now - s.members[d.who - 1].renewed_at <= 2500 ? 1 : 0;
    REQUIRE(2 * heard <= count);
    auto shuffled = s;
    std::shuffle(shuffled.votes.begin(), shuffled.votes.end(), random);
    REQUIRE(count_votes(shuffled, may_judge) == dead);  // the order of the rows does not matter
  }
  CHECK(sentenced > 1000);
}

}  // namespace baraza::cluster
