// Token buckets by key (address, network, account), shared by all threads of the edge and bounded
// in number.
#pragma once

#include <mutex>
#include <unordered_map>

#include "http/token_bucket.hpp"
#include "storage/ids.hpp"

namespace baraza::http {

class rate_limiter {
 public:
  /// @param keys_max keys remembered; when they are too many, full buckets are forgotten, then a
  /// stranger is refused
  rate_limiter(rate limit, std::size_t keys_max) : limit_{limit}, keys_max_{keys_max} {}
  /// @returns 0 if allowed, else the nanoseconds to wait
  nanos take(const uuid& key, nanos now, std::uint32_t tokens = 1);

 private:
  const rate limit_;
  const std::size_t keys_max_;
  std::mutex mutex_;
  std::unordered_map<uuid, token_bucket> buckets_;
};

/// How many of each key are there right now; used for sockets per address.
class key_counter {
 public:
  /// False if `key` already has `most`.
  bool enter(const uuid& key, std::uint32_t most);
  void leave(const uuid& key);

 private:
  std::mutex mutex_;
  std::unordered_map<uuid, std::uint32_t> counts_;  // bounded by the sockets there are
};

}  // namespace baraza::http
