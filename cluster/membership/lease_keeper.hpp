// A node's own lease: when to renew, when to fall silent, and when its word about others counts.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "cluster/membership/limits.hpp"
#include "storage/ids.hpp"

namespace baraza::cluster {

struct lease_options {
  std::chrono::milliseconds length = lease_length;
  std::chrono::milliseconds renew_every = lease_renew_every;
  std::chrono::milliseconds retry_every = lease_retry_every;
  std::chrono::milliseconds judge_margin = lease_judge_margin;
  /// Whether it owns shards. One that does may not go on under a new name with old memory: it
  /// exits when the store calls it dead. An edge rejoins and keeps its sockets.
  bool owns_shards = true;
};

/// ```
///            renewal answered            found dead
///   held ◀──────────────────▶ suspended ───────────▶ lost      (lost is final)
///        lease over, own clock                ▲
///   held ─────────────────────────────────────┘
/// ```
/// *Suspended* commits nothing and answers `paused`, but keeps memory and sockets (rule B3). The
/// state is a function of `now`, so that a process that was paused for a minute is suspended at its
/// first look, before any timer has run. What it had sent to the store before, the fence decides.
class lease_keeper {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class state : std::uint8_t { held, suspended, lost };

  /// The join was the first grant.
  /// @param asked_at own clock when the join was *sent*; the store stamped the lease later
  lease_keeper(const lease_options& options, time_point asked_at)
      : options_{options},
        until_{asked_at + options.length},
        next_{asked_at + options.renew_every} {}

  /// One renewal is on its way at most; the caller bounds its wait (half a lease at most) and then
  /// says failed().
  [[nodiscard]] bool is_due(time_point now) const { return !sent_ && !dead_ && now >= next_; }
  void sent(time_point now);
  /// @param connection differs between two connections to the store
  /// @param store_now the store's clock in its answer
  void renewed(time_point now, std::uint64_t connection, millis store_now);
  /// Refused, timed out or lost: its outcome does not matter, a late one only lengthens the lease.
  void failed(time_point now);
  /// The store knows this incarnation as dead, or not at all.
  void found_dead() { dead_ = true; }

  [[nodiscard]] state at(time_point now) const {
    return dead_ ? state::lost : now < until_ ? state::held : state::suspended;
  }
  [[nodiscard]] bool may_commit(time_point now) const { return at(now) == state::held; }
  /// Whether the process must end: lost, with shards.
  [[nodiscard]] bool must_exit() const { return dead_ && options_.owns_shards; }
  /// Whether this node's word about other nodes' leases counts: its own renewals went through on
  /// one connection, without a gap, for longer than lease + 1 s, and the store's clock kept step
  /// with its own. Else the first to renew after the store was away would find all others expired.
  [[nodiscard]] bool may_judge(time_point now) const;
  /// When to look again: the next renewal, or the moment of suspension, whichever comes first.
  [[nodiscard]] time_point next_look(time_point now) const;

 private:
  /// Answers further apart cannot rule out that others missed theirs meanwhile.
  [[nodiscard]] std::chrono::milliseconds gap_max() const {
    return std::min<std::chrono::milliseconds>(options_.length / 2, judge_gap_max);
  }

  lease_options options_;
  time_point until_, next_;
  std::optional<time_point> sent_;
  bool dead_ = false;

  struct answer {
    time_point at;
    std::uint64_t connection = 0;
    millis store_now = 0;
  };
  std::optional<answer> last_;
  time_point streak_began_{};
};

}  // namespace baraza::cluster
