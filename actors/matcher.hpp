// Who plays whom: pure decisions on a queue of tickets, fed with time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::actors {

/// Two tickets pair when their ratings differ by no more than the window of the one that waits
/// longer.
struct matcher_options {
  std::int32_t window_start = 100;      // rating points at once
  std::int32_t window_per_second = 25;  // and more with each second of waiting
  std::int32_t window_max = 5'000;
};

class matcher {
 public:
  explicit matcher(const matcher_options& options) : options_{options} {}

  struct ticket {
    uuid id, player;
    std::int32_t rating = 0;
    millis since = 0;     // waiting since; orders the queue
    bool present = true;  // false while the connection is lost: kept, not paired
  };

  /// Enters, or replaces the player's ticket, which then keeps its place. False if `queue_max` is
  /// reached.
  bool enter(const ticket& what, std::size_t queue_max);
  bool leave(const uuid& player);
  /// False if he has no ticket.
  bool set_present(const uuid& player, bool present);
  [[nodiscard]] const ticket* of(const uuid& player) const;
  [[nodiscard]] std::size_t size() const { return tickets_.size(); }

  /// The best opponent of `player` now: the nearest rating within the window, the longer waiting
  /// one among equals.
  [[nodiscard]] std::optional<uuid> opponent_of(const uuid& player, millis now) const;
  /// Takes out all pairs that can play now, the oldest ticket first; at most `limit`.
  std::vector<std::pair<uuid, uuid>> pair(millis now, std::size_t limit);
  [[nodiscard]] std::int32_t window(const ticket& t, millis now) const;

 private:
  using by_rating = std::set<std::pair<std::int32_t, uuid>>;
  /// The nearest present neighbour in one direction; looks at no more than neighbours_max.
  template <class Iterator>
  const ticket* nearest(Iterator at, Iterator end, const ticket& to) const;

  matcher_options options_;
  std::unordered_map<uuid, ticket> tickets_;  // by player
  by_rating by_rating_;
  std::set<std::pair<millis, uuid>> by_age_;
};

}  // namespace baraza::actors
