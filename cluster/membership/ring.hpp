// The order of members on a ring, the same on every node: who watches whom.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace baraza::cluster {

/// Members sorted by a hash of their incarnation, so that processes started together (one machine,
/// one rack) are not each other's only watchers. Each watches its next `probe_targets` neighbours:
/// the traffic per node is constant, and each is watched by as many.
class ring {
 public:
  ring() = default;
  explicit ring(std::span<const std::uint64_t> members);

  /// The `count` members after `who`, nearest first; fewer in a small cluster, never `who` itself.
  [[nodiscard]] std::vector<std::uint64_t> after(std::uint64_t who, std::size_t count) const;
  /// How many members lie between `watcher` and `target`, going forward: 0 watches it first.
  /// Nothing: one of them is not on the ring, or they are the same.
  [[nodiscard]] std::optional<std::size_t> rank(std::uint64_t watcher, std::uint64_t target) const;
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  [[nodiscard]] std::optional<std::size_t> place(std::uint64_t who) const;
  std::vector<std::uint64_t> order_;
};

}  // namespace baraza::cluster
