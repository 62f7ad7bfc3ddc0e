// Whether the store answers, for those who must know without asking it themselves: a probe must
// never wait.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "storage/store.hpp"

namespace baraza::cluster {

/// Asks the store for its time again and again, on a thread and a connection of its own.
class store_pulse {
 public:
  /// `from` must outlive this; it counts as having answered now.
  explicit store_pulse(storage::store& from,
                       std::chrono::milliseconds every = std::chrono::seconds{1});
  ~store_pulse();  // waits for the question on its way
  store_pulse(const store_pulse&) = delete;

  /// Any thread, at once. True if it answered within the last `age`.
  [[nodiscard]] bool answered_within(std::chrono::milliseconds age) const;

 private:
  void run();
  storage::store& store_;
  const std::chrono::milliseconds every_;
  std::atomic<std::chrono::steady_clock::time_point> answered_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baraza::cluster
