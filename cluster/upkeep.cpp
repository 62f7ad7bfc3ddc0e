#include "cluster/upkeep.hpp"

namespace baraza::cluster {

upkeep::upkeep(std::function<storage::status()> work,
               std::function<void(const storage::error&)> failed, pace how)
    : work_{std::move(work)}, failed_{std::move(failed)}, pace_{how}, thread_{[this] { run(); }} {}

upkeep::~upkeep() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void upkeep::run() {
  for (;;) {
    const auto done = work_();
    if (!done) failed_(done.why());
    std::unique_lock lock{mutex_};
    if (wake_.wait_for(lock, done ? pace_.every : pace_.retry, [this] { return stopping_; }))
      return;
  }
}

}  // namespace baraza::cluster
