#include "http/client/latency.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace baraza::client {

void latency_histogram::add(std::chrono::nanoseconds value) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.count()) / 1000);
  std::size_t bucket = us;
  if (us >= (1u << steps_bits)) {
    const int shift = static_cast<int>(std::bit_width(us)) - 1 - steps_bits;
    // Values with the same leading steps_bits + 1 bits share a bucket.
    bucket = (static_cast<std::size_t>(shift) << steps_bits) + (us >> shift);
  }
  ++counts_[std::min(bucket, buckets - 1)];
  ++count_;
  max_us_ = std::max(max_us_, us);
}

double latency_histogram::quantile_ms(double share) const {
  if (count_ == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen < std::max<std::uint64_t>(rank, 1)) continue;
    std::uint64_t top = bucket;  // the largest value of the bucket
    if (bucket >= (2u << steps_bits)) {
      const std::size_t shift = (bucket >> steps_bits) - 1;
      top = (((bucket & ((1u << steps_bits) - 1)) + (1u << steps_bits) + 1) << shift) - 1;
    }
    return static_cast<double>(std::min(top, max_us_)) / 1000;
  }
  return max_ms();
}

double latency_histogram::max_ms() const { return static_cast<double>(max_us_) / 1000; }

}  // namespace baraza::client
