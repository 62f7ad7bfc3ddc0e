#include "http/rate_limiter.hpp"

namespace baraza::http {

nanos rate_limiter::take(const uuid& key, nanos now, std::uint32_t tokens) {
  if (limit_.per_second == 0) return 0;
  const std::lock_guard lock{mutex_};
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= keys_max_)
      std::erase_if(buckets_, [&](const auto& one) { return one.second.is_full(now); });
    if (buckets_.size() >= keys_max_) return 1'000'000'000;
    found = buckets_.emplace(key, token_bucket{}).first;
  }
  return found->second.take(limit_, now, tokens);
}

bool key_counter::enter(const uuid& key, std::uint32_t most) {
  const std::lock_guard lock{mutex_};
  auto& count = counts_[key];
  if (count >= most) {
    if (count == 0) counts_.erase(key);
    return false;
  }
  ++count;
  return true;
}

void key_counter::leave(const uuid& key) {
  const std::lock_guard lock{mutex_};
  const auto found = counts_.find(key);
  if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace baraza::http
