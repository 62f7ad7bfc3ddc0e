// What the ledger's speed is measured against: the same transfers without group commit, on the same
// server.
#pragma once

#include <span>
#include <string>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

struct naive_result {
  double naive_per_s =
      0;  // prepared BEGIN, insert transfer, two balance updates in id order, COMMIT
  int naive_connections = 0;          // the count that did best
  double single_statement_per_s = 0;  // one statement and one implicit transaction per transfer
  int single_statement_connections = 0;
};

/// Runs both ways on `accounts` accounts for `seconds` per way and connection count, and answers
/// the best of each. Works in the schema `naive_bench` of the database at `url`, created for the
/// run and dropped after it. Every commit is durable as the server is set. Errors: unavailable,
/// invalid (nothing to run).
result<naive_result> run_naive(const std::string& url, int accounts, double seconds,
                               std::span<const int> connections);

}  // namespace baraza::storage::postgres
