// A cluster under load, something bad, and what must be true afterwards.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <vector>

#include "tests/cluster/local_cluster.hpp"

namespace baraza::tests {

using namespace std::chrono_literals;

class bad_day {
 public:
  /// Three nodes and two edges unless told otherwise, and bots at each door that play already.
  explicit bad_day(LocalCluster::options wanted = {});

  LocalCluster cluster;
  // A buy-in that cannot reach its table in time goes back: so where two nodes cannot talk.
  bool stakes_may_go_back = false;

  /// Lets them play on.
  static void play(std::chrono::milliseconds time);
  /// Whether newcomers at `door` can play before `limit`: their actions are acknowledged.
  [[nodiscard]] bool plays(const std::string& door, std::chrono::milliseconds limit = 40s);
  /// Every node and edge, by name.
  [[nodiscard]] std::vector<std::string> everybody() const;
  /// Nobody has ended, whatever happened.
  void require_all_running();
  /// The name of the node that balances the shards; empty: none.
  [[nodiscard]] std::string coordinator() const;
  /// Ends the load and requires: every door plays, every acknowledged action is in its match's
  /// record, no match that had begun was given back or forfeited for our absence, the books are
  /// clean.
  void require_survived();

 private:
  [[nodiscard]] std::string refunds() const;
  std::vector<std::unique_ptr<load_run>> bots_;
};

}  // namespace baraza::tests
