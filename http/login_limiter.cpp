#include "http/login_limiter.hpp"

#include <algorithm>

namespace baraza::http {

login_limiter::record* login_limiter::find(const uuid& key, nanos now) {
  if (const auto found = records_.find(key); found != records_.end()) return &found->second;
  if (records_.size() >= keys_max_) {
    std::erase_if(records_,
                  [&](const auto& one) { return one.second.last + limits_.forget_after < now; });
  }
  if (records_.size() >= keys_max_) {  // a flood of names: forget those without failures
    std::erase_if(records_, [&](const auto& one) {
      return one.second.failures == 0 && one.second.full_at <= now;
    });
  }
  if (records_.size() >= keys_max_) return nullptr;
  return &records_[key];
}

nanos login_limiter::ask(const uuid& key, nanos now) {
  if (limits_.tries_per_minute == 0) return 0;
  const std::lock_guard lock{mutex_};
  auto* r = find(key, now);
  if (r == nullptr) return limits_.delay_first;
  if (r->last != 0 && r->last + limits_.forget_after < now) *r = {};
  r->last = now;
  if (r->not_before > now) return r->not_before - now;
  const nanos each = 60'000'000'000 / limits_.tries_per_minute;
  const nanos after = std::max(r->full_at, now) + each;
  const nanos wait = after - now - each * limits_.tries_per_minute;
  if (wait > 0) return wait;
  r->full_at = after;
  return 0;
}

void login_limiter::failed(const uuid& key, nanos now) {
  if (limits_.tries_per_minute == 0) return;
  const std::lock_guard lock{mutex_};
  auto* r = find(key, now);
  if (r == nullptr) return;
  ++r->failures;
  if (r->failures < limits_.free_failures) return;
  const auto doublings = std::min<std::uint32_t>(r->failures - limits_.free_failures, 20);
  r->not_before = now + std::min(limits_.delay_first << doublings, limits_.delay_max);
}

void login_limiter::succeeded(const uuid& key) {
  const std::lock_guard lock{mutex_};
  if (const auto found = records_.find(key); found != records_.end()) {
    found->second.failures = 0;
    found->second.not_before = 0;
  }
}

}  // namespace baraza::http
