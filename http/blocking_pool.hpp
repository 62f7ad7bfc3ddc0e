// A few threads for calls that block (identity store, argon2id), so that no socket thread ever
// waits. Bounded: beyond, `overloaded`.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace baraza::http {

class blocking_pool {
 public:
  blocking_pool(std::size_t threads, std::size_t queue_max);
  ~blocking_pool();  // drops what is queued, waits for what runs
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// False when the queue is full or the pool stops. The job must not throw.
  bool submit(std::function<void()> job);
  void stop();

 private:
  void run();
  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace baraza::http
