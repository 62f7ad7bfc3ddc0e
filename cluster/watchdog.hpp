// Ends the node when an actor holds its thread too long (rule D3): players of its neighbours wait,
// and another node can take over.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <thread>

#include "cluster/limits.hpp"
#include "storage/ids.hpp"

namespace baraza::cluster {

class watchdog {
 public:
  static constexpr std::size_t threads_max = 256;  // further threads go unwatched

  /// `bark(entity, held)` is called from the watchdog's thread and is expected to end the process.
  explicit watchdog(std::function<void(entity_id, std::chrono::milliseconds)> bark);
  ~watchdog();
  watchdog(const watchdog&) = delete;

  /// Marks the calling thread as working for `who` until the scope ends.
  class scope {
   public:
    scope(watchdog& dog, const entity_id& who, millis steady_now);
    ~scope();
    scope(const scope&) = delete;

   private:
    std::atomic<millis>* since_ = nullptr;
  };

 private:
  struct lane {
    void enter(const entity_id& whom, millis now);
    /// Whoever has held the thread since `held_since`; nothing if he let go of it meanwhile.
    [[nodiscard]] std::optional<entity_id> holder(millis held_since) const;

    std::atomic<millis> since{0};  // 0: idle
    // Written before `since`, in pieces: the thread may let go while the watchdog reads.
    std::atomic<entity_kind> kind{};
    std::array<std::atomic<std::uint64_t>, 2> key{};
  };
  std::array<lane, threads_max> lanes_;
  std::atomic<std::size_t> used_{0};
  std::atomic<bool> stopping_{false};
  std::function<void(entity_id, std::chrono::milliseconds)> bark_;
  std::thread thread_;
};

}  // namespace baraza::cluster
