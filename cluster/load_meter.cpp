#include "cluster/load_meter.hpp"

#include <numeric>

namespace baraza::cluster {

void load_meter::sample(time_point now, const load_totals& totals) {
  if (samples_.size() == samples_max) samples_.pop_front();
  samples_.push_back({now, totals});
}

load_rates load_meter::rates() const {
  load_rates out;
  if (samples_.size() < 2) return out;
  const auto &first = samples_.front(), &last = samples_.back();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(last.at - first.at).count();
  if (ms <= 0) return out;
  const auto per_second = [&](std::uint64_t now, std::uint64_t before) {
    return (now - before) * 1000 / static_cast<std::uint64_t>(ms);
  };
  out.sent_per_s = per_second(last.totals.sent, first.totals.sent);
  out.received_per_s = per_second(last.totals.received, first.totals.received);
  out.commits_per_s = per_second(last.totals.commits, first.totals.commits);

  auto batches = last.totals.commit_us_log2;
  for (std::size_t i = 0; i < batches.size(); ++i) batches[i] -= first.totals.commit_us_log2[i];
  const auto all = std::accumulate(batches.begin(), batches.end(), std::uint64_t{0});
  const auto below = [&](std::uint64_t share_of_hundred) -> std::uint64_t {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      seen += batches[i];
      if (all != 0 && seen * 100 >= all * share_of_hundred) return 1ull << (i + 8);
    }
    return 0;
  };
  out.commit_us_p50 = below(50);
  out.commit_us_p99 = below(99);
  return out;
}

}  // namespace baraza::cluster
