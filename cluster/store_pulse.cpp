#include "cluster/store_pulse.hpp"

namespace baraza::cluster {

using steady = std::chrono::steady_clock;

store_pulse::store_pulse(storage::store& from, std::chrono::milliseconds every)
    : store_{from}, every_{every}, answered_{steady::now()}, thread_{[this] { run(); }} {}

store_pulse::~store_pulse() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

bool store_pulse::answered_within(std::chrono::milliseconds age) const {
  return steady::now() - answered_.load(std::memory_order_relaxed) <= age;
}

void store_pulse::run() {
  std::unique_ptr<storage::reader> reader;
  for (;;) {
    if (!reader) {
      if (auto opened = store_.open_reader()) reader = std::move(*opened);
    }
    if (reader && reader->now()) {
      answered_.store(steady::now(), std::memory_order_relaxed);
    } else {
      reader.reset();  // a new connection may fare better
    }
    std::unique_lock lock{mutex_};
    if (wake_.wait_for(lock, every_, [this] { return stopping_; })) return;
  }
}

}  // namespace baraza::cluster
