// A histogram of latencies with a bounded error: 64 linear steps per power of two of microseconds
// (1.6 %).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace baraza::client {

class latency_histogram {
 public:
  void add(std::chrono::nanoseconds value);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// The value that `share` (0 … 1) of all values do not exceed, in milliseconds; 0 without values.
  [[nodiscard]] double quantile_ms(double share) const;
  [[nodiscard]] double max_ms() const;
  void clear() { *this = {}; }

 private:
  static constexpr int steps_bits = 6;
  static constexpr std::size_t buckets = (40 - steps_bits + 1) << steps_bits;  // up to 2^40 µs

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_us_ = 0;
};

}  // namespace baraza::client
