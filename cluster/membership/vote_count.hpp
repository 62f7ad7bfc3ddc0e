// Who is dead, by what the store holds: votes and leases.
#pragma once

#include <span>
#include <vector>

#include "cluster/membership/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

struct vote_options {
  millis age_max = vote_age_max.count();             // older votes do not count
  millis silent_after = store_silence_vote.count();  // without a renewal: not heard by the store
};

enum class cause_of_death : std::uint8_t { lease, votes, store_lost };
std::string_view to_string(cause_of_death why);

struct sentence {
  std::uint64_t who = 0;  // incarnation
  cause_of_death why{};
  bool operator==(const sentence&) const = default;
};

/// Whom the store's snapshot shows dead. Deterministic: every node comes to the same end from the
/// same snapshot. Carrying it out is a compare-and-set on the snapshot's version, so of two who
/// count at once, one counts again.
///
/// - *Lease*: over, by the store's clock, and the one who asks may judge (lease_keeper::may_judge).
/// - *Votes*: two different voters, or as many as there are members that could vote. A vote counts
///   for 5 s and while its voter is up, within its lease and not itself condemned. Who is accused
///   and not heard by the store either could not vote, but only for one who may judge: after the
///   store's own silence it has heard nobody, and one vote would be enough against each. The one
///   accused by most goes first, and its votes with it: a node cut off from all others accuses all,
///   and falls alone. Votes never take more than half of the members that still renew their leases;
///   then the voters are the smaller part, and wait for the others' votes.
/// - *Store lost*: says itself that it is past its lease, and the store has not heard it: one voter
///   is enough, if the one who asks may judge.
/// @param may_judge of the one who asks
std::vector<sentence> count_votes(const storage::cluster_state& state, bool may_judge,
                                  const vote_options& options = {});

}  // namespace baraza::cluster
