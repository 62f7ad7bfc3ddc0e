// The only source of chance a game sees: shuffles fixed by the locked seeds of its match.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "actors/games/fair.hpp"
#include "actors/games/limits.hpp"

namespace baraza::games {

/// Keeps the last shuffle, so that a round costs one however many cards are asked for. One thread
/// only.
class dealer {
 public:
  explicit dealer(fair::seeds seeds) : seeds_{std::move(seeds)} {}

  /// 0 … size-1 in the order that `nonce` fixes; size ≤ shuffle_size_max. Valid until the next
  /// call.
  std::span<const std::uint16_t> shuffle(std::uint64_t nonce, std::uint16_t size) const {
    if (nonce != nonce_ || size != cards_.size()) {
      if (size > shuffle_size_max) throw std::length_error{"dealer: shuffle too large"};
      cards_.resize(size);
      fair::stream{seeds_, nonce}.shuffle(std::span{cards_});
      nonce_ = nonce;
      ++computed_;
    }
    return cards_;
  }
  /// How many shuffles were really computed: a test holds it to one per round.
  [[nodiscard]] std::uint64_t computed() const { return computed_; }

 private:
  fair::seeds seeds_;
  mutable std::vector<std::uint16_t> cards_;
  mutable std::uint64_t nonce_ = 0;  // of cards_, which is empty before the first shuffle
  mutable std::uint64_t computed_ = 0;
};

}  // namespace baraza::games
