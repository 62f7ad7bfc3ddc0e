// What `baraza play` prints: cards and colour for a person at a terminal, plain lines for
// everything else.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/games/draw/draw.hpp"
#include "http/client/cards.hpp"

namespace baraza::client {

class play_screen {
 public:
  play_screen();
  /// Ends a status line that is still open.
  ~play_screen();

  void line(std::string_view text);
  void note(std::string_view text);  // standard error: connection troubles
  /// A line that is overwritten: only on a terminal.
  void status(std::string_view text);
  void hint(std::string_view keys) { keys_ = keys; }
  /// A round came to its end: both cards, the score.
  void round(const games::draw::state& state, const games::draw::cards& cards, std::uint8_t seat,
             std::string_view opponent, std::uint32_t number, bool tie);
  /// Somebody drew the first card of a round.
  void drew(std::uint8_t card, bool mine, std::string_view opponent);
  [[nodiscard]] bool is_terminal() const { return terminal_; }
  [[nodiscard]] std::string strong(std::string_view text) const;
  [[nodiscard]] card_style style() const { return {colour_}; }

 private:
  void clear_status();

  bool terminal_, colour_;
  bool status_open_ = false;
  std::string keys_, last_status_;
};

}  // namespace baraza::client
