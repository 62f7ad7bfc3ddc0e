// The store's upkeep while a node runs for months: partitions are attached ahead of time (rule A1).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "storage/store.hpp"

namespace baraza::cluster {

/// Does `work` now and then each `every`; after a failure again each `retry`. On a thread of its
/// own; `failed` is told why, on that thread.
class upkeep {
 public:
  struct pace {
    std::chrono::milliseconds every = std::chrono::hours{6};
    std::chrono::milliseconds retry = std::chrono::minutes{1};
  };
  upkeep(std::function<storage::status()> work, std::function<void(const storage::error&)> failed,
         pace how = {std::chrono::hours{6}, std::chrono::minutes{1}});
  ~upkeep();  // waits for the work on its way
  upkeep(const upkeep&) = delete;

 private:
  void run();
  std::function<storage::status()> work_;
  std::function<void(const storage::error&)> failed_;
  const pace pace_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baraza::cluster
