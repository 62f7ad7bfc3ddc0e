// Rate limits as plain values: integer nanoseconds, the clock is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

namespace baraza::http {

/// Steady nanoseconds since an arbitrary start.
using nanos = std::int64_t;

struct rate {
  std::uint32_t per_second = 0;  // refill; 0: no limit
  std::uint32_t burst = 1;       // tokens of a full bucket, ≥ 1
};

/// A token bucket kept as one number, the time at which it would be full again (GCRA): no drift, no
/// fractions.
class token_bucket {
 public:
  /// Takes `tokens`, or nothing.
  /// @param now never earlier than in the last call; an earlier one is treated as the same moment
  /// @returns 0 if taken, else the nanoseconds until they will be there
  nanos take(const rate& limit, nanos now, std::uint32_t tokens = 1) {
    if (limit.per_second == 0) return 0;
    const nanos each = second / limit.per_second;
    const nanos full = std::max(full_at_, now);
    const nanos after = full + each * tokens;
    const nanos wait = after - now - each * std::max<nanos>(limit.burst, tokens);
    if (wait > 0) return wait;
    full_at_ = after;
    return 0;
  }
  /// True once nothing of the past matters: the bucket may be forgotten.
  [[nodiscard]] bool is_full(nanos now) const { return full_at_ <= now; }

 private:
  static constexpr nanos second = 1'000'000'000;
  nanos full_at_ = 0;
};

}  // namespace baraza::http
