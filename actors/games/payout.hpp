// From an outcome to money: pure arithmetic in minor units, shared by settlement and by proofs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actors/games/game.hpp"

namespace baraza::games {

/// `pot` (≥ 0) shared by weight, rounded by largest remainder (the lower seat first among equals),
/// so that the shares always add up to the pot. Throws std::invalid_argument for a negative pot, no
/// seats or weights that are all zero.
std::vector<std::int64_t> share(std::int64_t pot, std::span<const std::uint32_t> weights);

struct settlement {
  std::vector<std::int64_t> payouts;  // by seat
  std::int64_t rake = 0;
};

/// What each seat gets and the house keeps. All weights equal: every stake goes back whole and
/// there is no rake. Otherwise the rake is floor(pot · rake_bp / 10,000), and the rest is shared.
/// Stakes ≥ 0, their sum ≤ 2^53; rake_bp ≤ 10,000; one weight per stake. Throws
/// std::invalid_argument otherwise.
settlement settle(std::span<const std::int64_t> stakes, std::uint32_t rake_bp, const outcome& end);

}  // namespace baraza::games
