// A small game with hidden cards, simultaneous turns, several events per command and all the ways
// to misbehave.
#pragma once

#include "actors/games/game.hpp"

namespace baraza::test {

/// Commands are single letters: "s" steps (each seat owes `steps`, both are awaited at once), "p"
/// peeks at one's hidden card (an event that only that seat sees), "t" throws in decide, "e"
/// answers no events, "x" writes an event that cannot be folded after a restart, "w" wins at once,
/// "d" ends in a tie, "2" writes two events. What decide accepts and then fails: "z" in evolve, "v"
/// in visible, "r" in result, "q" in the settlement. Options: {"steps": n}, 1 … 100, 3 if not
/// given.
const games::rules* find_secret(std::string_view name);

inline constexpr std::int32_t secret_turn_ms = 20'000;
/// While on, the events of "x" and "y" cannot be folded: accepted live, they break the replay.
void set_refolding(bool on);

}  // namespace baraza::test
