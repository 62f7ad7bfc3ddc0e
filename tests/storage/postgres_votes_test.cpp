// Votes on a real PostgreSQL: those of several members in the same moment.
#include <algorithm>
#include <barrier>
#include <thread>

#include "tests/storage/membership_scene.hpp"

namespace baraza::tests {
namespace {

constexpr int rounds = 40;  // before votes were committed first, every second one failed here

/// Votes at the same time as the other; counts the votes it then sees.
class voter {
 public:
  voter(membership_scene& at, std::uint64_t self) : store_{at.open()}, self_{self} {}
  void vote(std::barrier<>& start, std::uint64_t accused) {
    start.arrive_and_wait();
    const auto seen = store_->accuse(self_, accused, storage::vote_kind::silent, 0);
    votes_ = seen ? seen->votes.size() : 0;
  }
  void take_back(std::uint64_t accused) { REQUIRE(store_->withdraw(self_, accused)); }
  [[nodiscard]] std::size_t votes() const { return votes_; }

 private:
  std::unique_ptr<storage::membership_store> store_;
  std::uint64_t self_;
  std::size_t votes_ = 0;
};

}  // namespace

TEST_CASE("of two that vote in the same moment one sees both votes", "[postgres]") {
  membership_scene s;
  const auto one = s.join("one"), two = s.join("two"), accused = s.join("three");
  voter first{s, one.incarnation}, second{s, two.incarnation};
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    std::barrier start{2};
    std::thread other{[&] { second.vote(start, accused.incarnation); }};
    first.vote(start, accused.incarnation);
    other.join();
    REQUIRE(std::max(first.votes(), second.votes()) == 2);
    first.take_back(accused.incarnation);
    second.take_back(accused.incarnation);
  }
}

}  // namespace baraza::tests
