// Cluster time (rule C): the store's now() at the last reading, carried forward by the local steady
// clock. Never goes back.
#pragma once

#include <atomic>
#include <chrono>

#include "storage/ids.hpp"

namespace baraza::cluster {

class cluster_clock {
 public:
  explicit cluster_clock(millis store_now) : offset_{store_now - steady()} {}

  [[nodiscard]] millis now() const { return steady() + offset_.load(std::memory_order_relaxed); }
  /// The store said `store_now`; `asked` and `heard` are steady() around the question. A step back
  /// is held instead of taken.
  void adjust(millis store_now, millis asked, millis heard) {
    const auto fresh = store_now - (asked + (heard - asked) / 2);
    auto old = offset_.load(std::memory_order_relaxed);
    while (fresh > old && !offset_.compare_exchange_weak(old, fresh, std::memory_order_relaxed)) {
    }
  }
  static millis steady() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
  }

 private:
  std::atomic<millis> offset_;
};

}  // namespace baraza::cluster
