// One connection to the membership tables with a thread of its own: leases, reads and changes must
// not wait for each other (rule A3).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "storage/membership.hpp"

namespace baraza::cluster {

class store_lane {
 public:
  /// A member has a handful of questions open at most; more means that the store is away, and the
  /// member asks again by itself.
  static constexpr std::size_t jobs_max = 64;
  using job = std::function<void(storage::membership_store&)>;

  explicit store_lane(std::unique_ptr<storage::membership_store> to);
  ~store_lane();  // drops what waits, waits for the job at work
  store_lane(const store_lane&) = delete;

  /// Any thread, at once. @returns false: full or stopped; the job is dropped
  bool submit(job what);
  void stop();

 private:
  void run();
  std::unique_ptr<storage::membership_store> store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace baraza::cluster
