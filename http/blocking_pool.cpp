#include "http/blocking_pool.hpp"

#include <utility>

namespace baraza::http {

blocking_pool::blocking_pool(std::size_t threads, std::size_t queue_max) : queue_max_{queue_max} {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

blocking_pool::~blocking_pool() { stop(); }

bool blocking_pool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(job));
  }
  ready_.notify_one();
  return true;
}

void blocking_pool::stop() {
  std::deque<std::function<void()>> dropped;  // their captures end outside the lock
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    dropped.swap(queue_);
  }
  ready_.notify_all();
  for (auto& one : threads_) {
    if (one.joinable()) one.join();
  }
}

void blocking_pool::run() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock{mutex_};
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace baraza::http
