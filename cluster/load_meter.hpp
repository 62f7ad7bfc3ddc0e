// How busy a node was within the last seconds, from counters that only grow. Plain class: fed with
// time and totals.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>

namespace baraza::cluster {

struct load_totals {
  std::uint64_t sent = 0, received = 0, commits = 0;
  std::array<std::uint64_t, 16> commit_us_log2{};  // as node_counters has them
};
struct load_rates {
  std::uint64_t sent_per_s = 0, received_per_s = 0, commits_per_s = 0;
  /// Upper bounds of the buckets in which these quantiles of the batches' times lie, µs; 0: there
  /// was no batch.
  std::uint64_t commit_us_p50 = 0, commit_us_p99 = 0;
};

class load_meter {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds sample_every{1000};
  static constexpr std::size_t samples_max = 11;  // the newest and those of the ten seconds before

  [[nodiscard]] bool is_due(time_point now) const {
    return samples_.empty() || now - samples_.back().at >= sample_every;
  }
  void sample(time_point now, const load_totals& totals);
  /// Zeros until there are two samples.
  [[nodiscard]] load_rates rates() const;

 private:
  struct one {
    time_point at;
    load_totals totals;
  };
  std::deque<one> samples_;
};

}  // namespace baraza::cluster
