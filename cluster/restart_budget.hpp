// How often a crashed entity is brought back: at once while crashes are rare, then with growing
// delays, then no more.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>

#include "cluster/limits.hpp"

namespace baraza::cluster {

/// ```
/// crash: ≤ 5 in 30 s → restart now;  else → back-off 1, 2, 4, 8, 16 s;  sixth back-off →
/// quarantine
/// ```
/// A window without a crash forgives all of that. But 30 crashes within ten minutes, however they
/// are spread, are quarantine too: a step that always fails, and whose clock first waits out the
/// grace time, would else restart for ever without an operator hearing of it.
class restart_budget {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The delay before the next restart after a crash at `now` (steady clock, never going back);
  /// nothing: quarantine.
  std::optional<std::chrono::milliseconds> crashed(time_point now) {
    lately_.push_back(now);
    while (now - lately_.front() > restart_long_window) lately_.pop_front();
    if (lately_.size() >= restarts_long_max) return std::nullopt;
    if (!crashes_.empty() && now - crashes_.back() > restart_window + delay_) {
      crashes_.clear();
      backoffs_ = 0;
    }
    while (!crashes_.empty() && now - crashes_.front() > restart_window) crashes_.pop_front();
    crashes_.push_back(now);
    if (backoffs_ == 0 && crashes_.size() <= restarts_at_once_max)
      return std::chrono::milliseconds{0};
    if (backoffs_ == restarts_with_backoff_max) return std::nullopt;
    delay_ = restart_backoff_first * (1 << backoffs_++);
    return delay_;
  }

 private:
  std::deque<time_point>
      crashes_;  // within the window; at most restarts_at_once_max + 1 + restarts_with_backoff_max
  std::deque<time_point> lately_;  // within the long window; at most restarts_long_max
  std::size_t backoffs_ = 0;
  std::chrono::milliseconds delay_{0};
};

}  // namespace baraza::cluster
