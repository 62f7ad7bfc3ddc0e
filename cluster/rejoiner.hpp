// Lets a node without shards join again after the others have given it up, while its players'
// sockets stay open (rule B3).
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace baraza::cluster {

/// One thread that sleeps until it is asked, then tries until it has joined or is stopped.
class rejoiner {
 public:
  static constexpr std::chrono::milliseconds pause{1000};  // between two tries

  /// @param join blocks; false: not this time
  explicit rejoiner(std::function<bool()> join)
      : join_{std::move(join)}, thread_{[this] { run(); }} {}
  ~rejoiner() { stop(); }
  rejoiner(const rejoiner&) = delete;

  void ask() { set(wanted_); }
  void stop() {
    set(stopping_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void set(bool& what) {
    {
      const std::lock_guard lock{mutex_};
      what = true;
    }
    wake_.notify_all();
  }
  void run() {
    std::unique_lock lock{mutex_};
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || wanted_; });
      if (stopping_) return;
      wanted_ = false;
      lock.unlock();
      const bool joined = join_();
      lock.lock();
      if (joined) continue;
      wanted_ = true;
      if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
  }

  std::function<bool()> join_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool wanted_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace baraza::cluster
