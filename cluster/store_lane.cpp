#include "cluster/store_lane.hpp"

namespace baraza::cluster {

store_lane::store_lane(std::unique_ptr<storage::membership_store> to)
    : store_{std::move(to)}, thread_{[this] { run(); }} {}

store_lane::~store_lane() { stop(); }

bool store_lane::submit(job what) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || jobs_.size() >= jobs_max) return false;
    jobs_.push_back(std::move(what));
  }
  wake_.notify_one();
  return true;
}

void store_lane::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void store_lane::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const auto what = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    what(*store_);
    lock.lock();
  }
}

}  // namespace baraza::cluster
