// The last things that happened to the cluster as this node saw them, for operators who look now.
// The log has all of them.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::cluster {

struct recent_event {
  millis at = 0;  // cluster time
  std::string what, detail;
};

/// Any thread.
class recent_events {
 public:
  static constexpr std::size_t kept_max = 32;

  void add(recent_event what) {
    const std::lock_guard lock{mutex_};
    if (all_.size() == kept_max) all_.pop_front();
    all_.push_back(std::move(what));
  }
  /// Oldest first.
  [[nodiscard]] std::vector<recent_event> all() const {
    const std::lock_guard lock{mutex_};
    return {all_.begin(), all_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::deque<recent_event> all_;
};

}  // namespace baraza::cluster
