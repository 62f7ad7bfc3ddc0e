// The draw game as a client follows it: the rules' own fold over the events that arrive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/games/draw/draw.hpp"

namespace baraza::client {

/// Options of the draw game as the lobby wants them.
std::string draw_options(std::uint8_t best_of);
/// The one command of the game.
std::string_view draw_command();

class draw_table {
 public:
  void begin(std::uint8_t best_of, std::uint8_t seat);
  /// `event`: the game's event map. False if it does not fit (then a fresh view is needed).
  bool happened(std::string_view event);
  /// `view`: the game's view map.
  bool viewed(std::string_view view, std::uint8_t seat);
  /// True while this seat may draw.
  [[nodiscard]] bool may_draw() const { return seat_ < 2 && !state_.over && !state_.drawn[seat_]; }
  [[nodiscard]] const games::draw::state& state() const { return state_; }
  [[nodiscard]] std::uint8_t seat() const { return seat_; }

 private:
  games::draw::state state_;
  std::uint8_t seat_ = 0xFF;
};

}  // namespace baraza::client
