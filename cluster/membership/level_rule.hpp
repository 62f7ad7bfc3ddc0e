// When the whole cluster may write what older binaries cannot read (rule A9).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "cluster/membership/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

/// The coordinator's part: raises the cluster's level to the lowest one among its members, those
/// who join and those who leave among them. It never falls: a binary older than the level may not
/// join. The store looks at the members again, so a snapshot that has aged does no harm.
class level_rule {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The level to ask the store for now. Call while this node coordinates.
  std::optional<std::uint16_t> tick(const storage::cluster_state& state, time_point now);

 private:
  time_point next_{};
};

/// The highest level that every member can read; 0: there is no member.
std::uint16_t readable_by_all(const storage::cluster_state& state);

}  // namespace baraza::cluster
