// The list of games. Adding one is a folder beside draw/ and a line here.
#include <algorithm>

#include "actors/games/draw/draw.hpp"
#include "actors/games/game.hpp"

namespace baraza::games {
namespace {

const hosted<draw::game> draw_rules;

std::vector<const rules*>& games() {
  static std::vector<const rules*> list{&draw_rules};
  return list;
}

}  // namespace

std::span<const rules* const> registered() { return games(); }

const rules* find(std::string_view name) {
  for (const auto* game : games()) {
    if (game->name() == name) return game;
  }
  return nullptr;
}

scoped_registration::scoped_registration(const rules& game) : game_{&game} {
  if (find(game.name()) != nullptr)
    throw std::invalid_argument{"a game of this name is registered"};
  games().push_back(game_);
}

scoped_registration::~scoped_registration() { std::erase(games(), game_); }

}  // namespace baraza::games
