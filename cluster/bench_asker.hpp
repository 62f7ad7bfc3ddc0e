// What stands where tables stand in `baraza bench ledger`: an entity that owns a share of the
// matches and asks wallets for stakes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "actors/entity.hpp"

namespace baraza::cluster {

/// Counts of all askers together.
struct bench_tally {
  std::mutex mutex;
  std::condition_variable changed;  // after every 1,024 answers
  std::uint64_t answered = 0, refused = 0;
  std::string first_refusal;
  bool stopping = false;  // no further questions
};

struct bench_share {
  std::span<const uuid> players, matches;  // its own alone: no wallet has two questions open
  std::size_t window = 1;                  // questions open at once
};

/// The first request opens the escrows of the share's matches and asks every wallet for its
/// balance, so that all are awake; the second one starts the buy-ins, one minor unit each, wallets
/// in turn and matches at random, until the tally says stop. `tally` and `share` outlive it.
std::unique_ptr<actors::entity> make_bench_asker(const bench_share& share, bench_tally& tally);

}  // namespace baraza::cluster
