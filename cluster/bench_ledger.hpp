// `baraza bench ledger`: durable transfers a second through wallet actors and the journal gate,
// beside the naive way.
#pragma once

#include <cstdint>
#include <string>

namespace baraza::cluster {

struct bench_ledger_options {
  std::string url;   // an empty store
  int seconds = 10;  // of each measurement
  std::uint32_t accounts = 100'000;
  std::uint32_t in_flight = 4'000;  // buy-ins not yet answered; each wallet has one at most
  std::uint16_t writers = 2;
  bool skip_naive = false;
  bool json = false;
};

/// Prints the figures; with json the last line is
/// {"transfers","seconds","transfers_per_s","naive_per_s","single_per_s","ratio"}.
/// @returns 0, 1 if something failed, 2 if the store is not empty
int bench_ledger(const bench_ledger_options& options);

}  // namespace baraza::cluster
