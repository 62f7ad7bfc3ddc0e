#include "cluster/load_queue.hpp"

#include <algorithm>

#include "cluster/limits.hpp"

namespace baraza::cluster {

void load_queue::add_failed(const entity_id& who, millis now) {
  retry_.push_back(who);
  if (retry_at_ == 0) retry_at_ = now + load_retry.count();
}

void load_queue::tick(millis now) {
  if (retry_at_ == 0 || now < retry_at_) return;
  retry_at_ = 0;
  for (const auto& who : retry_) add_suspect(who, 0);
  retry_.clear();
}

std::optional<std::vector<entity_id>> load_queue::next(millis now) {
  const bool careful = is_careful(now);
  if (in_flight_ >= (careful ? 1 : loads_in_flight_max)) return std::nullopt;
  if (careful && !unsettled_.empty()) return std::nullopt;
  if (company_.empty() && alone_.empty()) return std::nullopt;
  std::vector<entity_id> batch;
  was_alone_ = company_.empty() || (!alone_.empty() && !was_alone_);
  if (was_alone_) {
    batch.push_back(alone_.begin()->second);
    alone_.erase(alone_.begin());
  } else {
    const auto count = std::min(company_.size(), load_batch_max);
    batch.assign(company_.end() - static_cast<std::ptrdiff_t>(count), company_.end());
    company_.resize(company_.size() - count);
  }
  if (careful) unsettled_.insert(batch.begin(), batch.end());
  ++in_flight_;
  return batch;
}

}  // namespace baraza::cluster
