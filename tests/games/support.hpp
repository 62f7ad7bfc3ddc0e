// What the tests of games share: seeds, set-ups and folding.
#pragma once

#include <string>
#include <utility>

#include "actors/games/game.hpp"

namespace baraza::games::test {

inline fair::seeds seeds_of(std::string_view game, std::uint8_t seats, std::uint64_t number) {
  fair::seeds seeds;
  seeds.server = fair::sha256("server seed " + std::to_string(number));
  seeds.game_id = fairness_id(game, 1);
  for (int seat = 0; seat < seats; ++seat)
    seeds.clients.push_back("player " + std::to_string(seat) + " of " + std::to_string(number));
  return seeds;
}

inline match_setup setup_of(const rules& game, std::uint64_t number,
                            std::string_view options = {}) {
  match_setup setup;
  setup.rules_version = game.version();
  setup.options = std::get<std::string>(game.check_options(options));
  setup.seats = game.seats_min();
  setup.seeds = seeds_of(game.name(), setup.seats, number);
  return setup;
}

inline void fold(match& m, const events& happened) {
  for (const auto& event : happened) m.evolve(event);
}

}  // namespace baraza::games::test
