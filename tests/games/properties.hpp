// What must hold for any game. Each check returns the first violation it finds, so that the tests
// can also show that it finds one in a game that is broken on purpose.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/games/game.hpp"

namespace baraza::games::test {

using violation = std::optional<std::string>;

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers everywhere, unlike
/// std::uniform_int_distribution.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t roll();
  std::uint64_t below(std::uint64_t n) { return roll() % n; }
  std::string bytes(std::size_t size_max);
  /// One to three bytes changed, removed, repeated or added.
  std::string mutate(std::string bytes);

 private:
  std::uint64_t state_;
};

violation check_replay(const rules& game, std::uint64_t seed);  // fold and restore are bit-exact
violation check_secrecy(const rules& game,
                        std::uint64_t seed);                   // views follow from what was visible
violation check_money(const rules& game, std::uint64_t seed);  // weights share out the whole pot
violation check_time_outs(const rules& game, std::uint64_t seed);  // alone they end a match
violation check_any_bytes(const rules& game, std::uint64_t seed);  // commands, events, snapshots
violation check_turns(const rules& game, std::uint64_t seed);   // turn, result and refusals agree
violation check_causes(const rules& game, std::uint64_t seed);  // events tell what caused them
violation check_bots(const rules& game, std::uint64_t seed);    // bots finish a match by themselves

}  // namespace baraza::games::test
