#include "cluster/watchdog.hpp"

#include <bit>

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
          const auto who = lanes_[i].holder(since);
          if (!who) continue;
          bark_(*who, std::chrono::milliseconds{now - since});
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

void watchdog::lane::enter(const entity_id& whom, millis now) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(whom.key.bytes);
  kind.store(whom.kind, std::memory_order_release);
  key[0].store(halves[0], std::memory_order_release);
  key[1].store(halves[1], std::memory_order_release);
  since.store(now, std::memory_order_release);
}

std::optional<entity_id> watchdog::lane::holder(millis held_since) const {
  entity_id out;
  out.kind = kind.load(std::memory_order_acquire);
  out.key.bytes = std::bit_cast<decltype(out.key.bytes)>(
      std::array{key[0].load(std::memory_order_acquire), key[1].load(std::memory_order_acquire)});
  // Whoever saw a piece of a later holder sees here that the earlier one has let go.
  if (since.load(std::memory_order_relaxed) != held_since) return std::nullopt;
  return out;
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
  lane.enter(who, steady_now);
  since_ = &lane.since;
}

watchdog::scope::~scope() {
  if (since_ != nullptr) since_->store(0, std::memory_order_release);
}

}  // namespace baraza::cluster
