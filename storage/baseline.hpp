// What the same store does without us: the figures that `baraza bench ledger` is compared with.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/store.hpp"

namespace baraza::storage {

struct baseline_rates {
  double naive_per_s = 0;   // PostgreSQL: BEGIN, insert transfer, two updates in id order, COMMIT,
                            // best of 8, 16, 32 connections. Embedded: one transaction per transfer
  double single_per_s = 0;  // PostgreSQL: the same in one statement per transfer; embedded: 0
};

/// Runs for about `seconds` per variant on tables of its own, which it drops. Errors: unavailable.
result<baseline_rates> measure_baseline(std::string_view url, std::uint32_t accounts, int seconds);

}  // namespace baraza::storage
