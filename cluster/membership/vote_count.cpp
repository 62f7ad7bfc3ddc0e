#include "cluster/membership/vote_count.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace baraza::cluster {
namespace {

using storage::member;
using storage::member_status;
using storage::vote_kind;

/// Accused → accusers. Ordered, so that every node counts alike.
using accusations = std::map<std::uint64_t, std::set<std::uint64_t>>;

class count {
 public:
  count(const storage::cluster_state& state, bool may_judge, const vote_options& options)
      : state_{state}, may_judge_{may_judge}, options_{options} {
    for (const auto& m : state.members) living_.emplace(m.incarnation, &m);
  }

  std::vector<sentence> run() {
    if (may_judge_)
      for (const auto& [who, m] : living_)
        if (m->lease_until < state_.now) condemn(who, cause_of_death::lease);
    collect();
    for (const auto who : stranded_)
      if (!is_condemned(who)) condemn(who, cause_of_death::store_lost);
    const auto before_votes = sentences_.size();
    while (const auto next = most_accused()) condemn(next, cause_of_death::votes);
    spare_the_majority(before_votes);
    std::ranges::sort(sentences_, {}, &sentence::who);
    return std::move(sentences_);
  }

 private:
  void condemn(std::uint64_t who, cause_of_death why) {
    condemned_.insert(who);
    sentences_.push_back({who, why});
  }
  [[nodiscard]] bool is_condemned(std::uint64_t who) const { return condemned_.contains(who); }
  [[nodiscard]] bool is_voter(std::uint64_t who) const {
    const auto found = living_.find(who);
    return found != living_.end() && found->second->status != member_status::joining &&
           found->second->lease_until >= state_.now && !is_condemned(who);
  }
  /// Only one who may judge can tell a member's silence from the store's own.
  [[nodiscard]] bool is_silent(std::uint64_t who) const {
    return may_judge_ && state_.now - living_.at(who)->renewed_at > options_.silent_after;
  }

  void collect() {
    for (const auto& v : state_.votes) {
      if (state_.now - v.at > options_.age_max || v.accuser == v.accused) continue;
      if (!is_voter(v.accuser) || !living_.contains(v.accused)) continue;
      if (v.kind == vote_kind::silent) {
        accused_[v.accused].insert(v.accuser);
      } else if (is_silent(v.accused)) {
        stranded_.insert(v.accused);
      }
    }
  }

  [[nodiscard]] std::size_t votes_against(std::uint64_t who) const {
    const auto found = accused_.find(who);
    if (found == accused_.end()) return 0;
    return static_cast<std::size_t>(
        std::ranges::count_if(found->second, [&](auto voter) { return is_voter(voter); }));
  }
  /// Two, or fewer if fewer members are left that could vote.
  [[nodiscard]] std::size_t needed_against(std::uint64_t who) const {
    std::size_t could_vote = 0;
    for (const auto& [voter, m] : living_) {
      if (voter == who || m->status == member_status::joining || is_condemned(voter)) continue;
      if (!(votes_against(voter) > 0 && is_silent(voter))) ++could_vote;
    }
    return std::clamp<std::size_t>(could_vote, 1, 2);
  }
  /// 0: nobody has enough votes against it. Of equals the youngest.
  [[nodiscard]] std::uint64_t most_accused() const {
    std::uint64_t who = 0;
    std::size_t most = 0;
    for (const auto& [accused, voters] : accused_) {
      const auto votes = is_condemned(accused) ? 0 : votes_against(accused);
      if (votes > 0 && votes >= most && votes >= needed_against(accused))
        who = accused, most = votes;
    }
    return who;
  }
  void spare_the_majority(std::size_t first) {
    const auto speaks = [&](const sentence& s) { return !is_silent(s.who); };
    const auto from = sentences_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto speaking = std::count_if(from, sentences_.end(), speaks);
    const auto up = std::ranges::count_if(
        state_.members, [](const member& m) { return m.status != member_status::joining; });
    if (2 * speaking > up)
      sentences_.erase(std::remove_if(from, sentences_.end(), speaks), sentences_.end());
  }

  const storage::cluster_state& state_;
  bool may_judge_;
  vote_options options_;
  std::map<std::uint64_t, const member*> living_;
  accusations accused_;
  std::set<std::uint64_t> stranded_, condemned_;
  std::vector<sentence> sentences_;
};

}  // namespace

std::string_view to_string(cause_of_death why) {
  switch (why) {
    case cause_of_death::lease:
      return "lease over";
    case cause_of_death::votes:
      return "votes";
    case cause_of_death::store_lost:
      return "cut off from the store";
  }
  return "?";
}

std::vector<sentence> count_votes(const storage::cluster_state& state, bool may_judge,
                                  const vote_options& options) {
  return count{state, may_judge, options}.run();
}

}  // namespace baraza::cluster
