// What the edge counts. One set per socket thread, so that counting is a plain store; added up when
// somebody asks.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace baraza::http {

/// Written by one thread only, read by any.
class counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Why something was refused; names in counters.cpp's exposition (edge.cpp).
enum class refusal_reason : std::uint8_t {
  gate,
  parse,
  body_too_large,
  address_rate,
  sockets_total,
  sockets_address,
  header_timeout,
  write_timeout,
  origin,
  unauthorized,
  bad_message,
  session_rate,
  account_rate,
  join_rate,
  stake_rate,
  inflight,
  replayed_id,
  slow_reader,
  idle,
  hello_timeout,
  tls,
  count
};

/// Upper bounds of the latency buckets, in microseconds.
inline constexpr std::array<std::uint32_t, 12> latency_bounds_us{
    100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 500'000, 2'500'000};

struct io_counters {
  counter sockets_accepted, sockets_open, sessions_open, sessions_total;
  counter http_requests, http_errors;
  counter frames_in, frames_out, bytes_in, bytes_out, inbox_wakeups;
  std::array<counter, static_cast<std::size_t>(refusal_reason::count)> refused;
  std::array<counter, latency_bounds_us.size() + 1>
      latency;  // request frame → its answer handed to the socket
  counter latency_sum_us, latency_count;

  void refuse(refusal_reason why) { refused[static_cast<std::size_t>(why)].add(); }
  void observe(std::uint64_t micros) {
    std::size_t i = 0;
    while (i < latency_bounds_us.size() && micros > latency_bounds_us[i]) ++i;
    latency[i].add();
    latency_sum_us.add(micros);
    latency_count.add();
  }
};

}  // namespace baraza::http
