// When which entity wants to be called: a hashed wheel, fed with time. Plain class, no threads.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::cluster {

/// Entries are coarse (one tick) and cheap (about 64 bytes); an entity may have several, the
/// receiver ignores what comes early.
class timer_wheel {
 public:
  explicit timer_wheel(millis tick) : tick_{tick} {}

  void arm(const entity_id& who, millis at) {
    slots_[at / tick_].push_back(who);
    ++size_;
  }
  /// Appends to `due` all that were armed for `now` or earlier.
  void advance(millis now, std::vector<entity_id>& due) {
    const auto end = slots_.upper_bound(now / tick_ - 1);
    for (auto slot = slots_.begin(); slot != end; ++slot) {
      size_ -= slot->second.size();
      due.insert(due.end(), slot->second.begin(), slot->second.end());
    }
    slots_.erase(slots_.begin(), end);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  millis tick_;
  std::size_t size_ = 0;
  std::map<millis, std::vector<entity_id>> slots_;
};

}  // namespace baraza::cluster
