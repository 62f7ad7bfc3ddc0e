#include "cluster/watchdog.hpp"

#include "cluster/cluster_clock.hpp"

namespace baraza::cluster {

watchdog::watchdog(std::function<void(entity_id, std::chrono::milliseconds)> bark)
    : bark_{std::move(bark)} {
  thread_ = std::thread{[this] {
    while (!stopping_.load()) {
      std::this_thread::sleep_for(100ms);
      const auto now = cluster_clock::steady();
      for (std::size_t i = 0; i < std::min(used_.load(), threads_max); ++i) {
        const auto since = lanes_[i].since.load(std::memory_order_acquire);
        if (since != 0 && now - since > thread_hold_max.count()) {
          bark_(lanes_[i].who, std::chrono::milliseconds{now - since});
          return;
        }
      }
    }
  }};
}

watchdog::~watchdog() {
  stopping_ = true;
  thread_.join();
}

watchdog::scope::scope(watchdog& dog, const entity_id& who, millis steady_now) {
  thread_local const watchdog* owner = nullptr;
  thread_local std::size_t index = threads_max;
  if (owner != &dog) {
    owner = &dog;
    index = dog.used_.fetch_add(1);
  }
  if (index >= threads_max) return;
  auto& lane = dog.lanes_[index];
  if (lane.since.load(std::memory_order_relaxed) != 0)
    return;  // nested: the outer scope keeps counting
  lane.who = who;
  lane.since.store(steady_now, std::memory_order_release);
  since_ = &lane.since;
}

watchdog::scope::~scope() {
  if (since_ != nullptr) since_->store(0, std::memory_order_release);
}

}  // namespace baraza::cluster
