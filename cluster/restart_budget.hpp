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
/// crash: the first 5 → restart now;  then → back-off 1, 2, 4, 8, 16 s;  then → no more
/// ```
/// What gets on has its crashes forgiven: progressed(). Nothing else forgives those of an entity
/// that has an end, such as a match: its clocks may be any time apart, and each of them may fail.
///
/// One that lives for ever is forgiven by time, too: a window of 30 s without a crash counts as
/// progress. But 30 crashes within ten minutes, however they are spread, are too many even so.
class restart_budget {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class forgiven : std::uint8_t { by_progress, by_time_too };

  /// @param backoff the first one; each is twice the one before
  explicit restart_budget(forgiven how, std::chrono::milliseconds backoff = restart_backoff_first)
      : how_{how}, backoff_{backoff} {}

  /// The delay before the next restart after a crash at `now` (steady clock, never going back);
  /// nothing: no more restarts.
  std::optional<std::chrono::milliseconds> crashed(time_point now) {
    if (how_ == forgiven::by_time_too && !forgive_by_time(now)) return std::nullopt;
    ++crashes_;
    last_ = now;
    if (backoffs_ == 0 && crashes_ <= restarts_at_once_max) return std::chrono::milliseconds{0};
    if (backoffs_ == restarts_with_backoff_max) return std::nullopt;
    delay_ = backoff_ * (1 << backoffs_++);
    return delay_;
  }
  void progressed() {
    crashes_ = backoffs_ = 0;
    lately_.clear();
  }

 private:
  /// False: there were too many lately.
  bool forgive_by_time(time_point now) {
    lately_.push_back(now);
    while (now - lately_.front() > restart_long_window) lately_.pop_front();
    if (lately_.size() >= restarts_long_max) return false;
    if (crashes_ > 0 && now - last_ > restart_window + delay_) crashes_ = backoffs_ = 0;
    if (backoffs_ == 0) {
      const auto recent = std::count_if(lately_.begin(), lately_.end() - 1,
                                        [&](time_point t) { return now - t <= restart_window; });
      crashes_ = std::min(crashes_, static_cast<std::size_t>(recent));
    }
    return true;
  }

  forgiven how_;
  std::chrono::milliseconds backoff_;
  std::size_t crashes_ = 0, backoffs_ = 0;
  time_point last_;
  std::chrono::milliseconds delay_{0};
  std::deque<time_point> lately_;  // within the long window; at most restarts_long_max
};

}  // namespace baraza::cluster
