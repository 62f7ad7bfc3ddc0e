// libFuzzer target: any bytes as options, command, event and snapshot of every registered game.
//
// Input: one byte chooses the game, one the seat, one how far the bots have played; the rest is
// offered. decide, check_options, bot_command and visible's neighbours must never throw for bytes
// from outside; evolve and restore may throw cannot_fold and nothing else.
#include <cstdlib>
#include <string_view>

#include "actors/games/game.hpp"

namespace {

using namespace baraza;
using namespace baraza::games;

match_setup setup_of(const rules& game) {
  match_setup setup;
  setup.rules_version = game.version();
  setup.options = std::get<std::string>(game.check_options({}));
  setup.seats = game.seats_min();
  setup.seeds.server = fair::sha256("fuzz");
  setup.seeds.game_id = fairness_id(game.name(), game.version());
  for (int seat = 0; seat < setup.seats; ++seat)
    setup.seeds.clients.push_back(std::to_string(seat));
  return setup;
}

void let_bots_play(const rules& game, match& m, std::uint8_t seats, int moves) {
  for (int i = 0; i < moves && !m.result(); ++i) {
    const auto seat = static_cast<seat_index>(i % seats);
    const auto wish = game.bot_command(m.view(seat), seat);
    if (!wish) continue;
    const auto made = m.decide(seat, *wish, 0);
    if (const auto* happened = std::get_if<events>(&made)) {
      for (const auto& event : *happened) m.evolve(event);
    }
  }
}

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const auto games = registered();
  const rules& game = *games[data[0] % games.size()];
  const seat_index seat = data[1];
  const int moves = data[2] % 32;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 3, size - 3};

  const auto setup = setup_of(game);
  const auto m = game.create(setup);
  let_bots_play(game, *m, setup.seats, moves);
  const auto before = m->snapshot();
  const auto made = m->decide(seat, bytes, 0);
  expect(m->snapshot() == before);  // deciding changes nothing
  if (const auto* happened = std::get_if<events>(&made)) {
    for (const auto& event : *happened) m->evolve(event);  // what the rules wrote they can fold
    expect(game.restore(setup, m->snapshot())->snapshot() == m->snapshot());
  }
  (void)game.bot_command(bytes, seat);
  const auto options = game.check_options(bytes);
  if (const auto* canonical = std::get_if<std::string>(&options))
    expect(std::get<std::string>(game.check_options(*canonical)) == *canonical);
  try {
    m->evolve(bytes);
    (void)m->view(seat);
  } catch (const cannot_fold&) {  // allowed
  }
  try {
    const auto restored = game.restore(setup, bytes);
    (void)restored->decide(seat, game.sample_commands().front(), 0);
    (void)restored->view(seat);
    (void)restored->result();
  } catch (const cannot_fold&) {  // allowed
  }
  return 0;
}
