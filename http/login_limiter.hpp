// Slows down guessing: per account and per address, by delay that doubles, never by locking the
// account out.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "http/token_bucket.hpp"
#include "storage/ids.hpp"

namespace baraza::http {

struct login_limits {
  std::uint32_t tries_per_minute = 5;  // right or wrong; also the burst. 0: no limit
  std::uint32_t free_failures = 3;     // then 2 s, 4 s, … up to delay_max
  nanos delay_first = 2'000'000'000;
  nanos delay_max = 300'000'000'000;
  nanos forget_after = 3'600'000'000'000;
};

class login_limiter {
 public:
  login_limiter(login_limits limits, std::size_t keys_max) : limits_{limits}, keys_max_{keys_max} {}
  /// Called before the password is looked at. @returns 0 to go on, else the nanoseconds to wait
  nanos ask(const uuid& key, nanos now);
  void failed(const uuid& key, nanos now);
  void succeeded(const uuid& key);

 private:
  struct record {
    nanos full_at = 0;  // of the bucket of tries_per_minute
    nanos not_before = 0;
    nanos last = 0;
    std::uint32_t failures = 0;
  };
  record* find(const uuid& key, nanos now);
  const login_limits limits_;
  const std::size_t keys_max_;
  std::mutex mutex_;
  std::unordered_map<uuid, record> records_;
};

}  // namespace baraza::http
