// Reads from the store on a few threads of their own, so that nothing blocks a scheduler or socket
// thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/store.hpp"

namespace baraza::cluster {

class read_pool {
 public:
  using job = std::function<void(storage::reader&)>;
  /// Opens `threads` readers; a reader that fails is reopened with the next job. `queue_max`:
  /// further jobs are refused.
  read_pool(storage::store& from, std::size_t threads, std::size_t queue_max);
  ~read_pool();  // runs what is queued, then joins
  read_pool(const read_pool&) = delete;
  read_pool& operator=(const read_pool&) = delete;

  /// False when the queue is full or the pool is stopping: answer `overloaded`. The job must not
  /// throw.
  bool submit(job work);
  void stop();

 private:
  std::unique_ptr<storage::reader> open();
  void run();
  storage::store& store_;
  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace baraza::cluster
