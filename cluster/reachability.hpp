// Whether clocks may run on this node (rule C): not while its store is away, nor right after the
// process itself stood still. Plain class: writers report, the region's tick concludes, hosts ask.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "storage/ids.hpp"

namespace baraza::cluster {

class reachability {
 public:
  static constexpr std::size_t writers_max = 64;  // as many as a store gives one node
  /// A batch held longer, or a tick that comes later, means that players could not act.
  static constexpr millis pause_max_ms = 1'000;

  // ---- writer threads: once a batch, never once a commit
  void began(std::uint16_t writer, millis steady) { lane(writer).store(steady); }
  /// The store did not answer, or its answer says nothing: away until the batch has ended.
  void stumbled(std::uint16_t writer) { lane(writer).store(long_ago); }
  void ended(std::uint16_t writer) { lane(writer).store(idle); }

  // ---- the region's tick, each few milliseconds
  /// @param steady,now local steady time and cluster time, milliseconds
  void tick(millis steady, millis now) {
    const auto last = ticked_at_.load(std::memory_order_relaxed);
    const bool stood_still = last != 0 && now - last > pause_max_ms;
    const bool was_away = is_away_.load(std::memory_order_relaxed);
    bool away = false;
    for (const auto& began : flights_) {
      const auto at = began.load(std::memory_order_relaxed);
      away = away || (at != idle && steady - at > pause_max_ms);
    }
    if (stood_still || (was_away && !away)) since_.store(now, std::memory_order_relaxed);
    is_away_.store(away, std::memory_order_relaxed);
    ticked_at_.store(now, std::memory_order_release);
  }

  // ---- hosts
  /// No entity's timer is called: it would decide about players who cannot be heard. Also true when
  /// the tick is overdue, because after a stop of the whole process a host may run before it.
  [[nodiscard]] bool clocks_stand(millis now) const {
    return now - ticked_at_.load(std::memory_order_acquire) > pause_max_ms ||
           is_away_.load(std::memory_order_relaxed);
  }
  /// Cluster time since when there was no pause; 0: there was none yet.
  [[nodiscard]] millis since() const { return since_.load(std::memory_order_relaxed); }

 private:
  static constexpr millis idle = 0;
  static constexpr millis long_ago = -1'000'000'000;
  std::atomic<millis>& lane(std::uint16_t writer) { return flights_[writer % writers_max]; }

  std::array<std::atomic<millis>, writers_max> flights_{};  // when the batch in flight began
  std::atomic<bool> is_away_{false};
  std::atomic<millis> since_{0}, ticked_at_{0};
};

}  // namespace baraza::cluster
