// How the draw duel looks on a terminal: text only, no terminal control; colour is the caller's
// wish.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace baraza::client {

struct card_style {
  bool colour = false;  // ANSI red for hearts and diamonds
};

/// "10♥", "A♠". `card` as the rules number it: rank card mod 13 (0 two … 12 ace), suit card div 13.
std::string card_name(std::uint8_t card, card_style style = {});

/// Two cards side by side under their labels, at most 80 columns: five lines of box art, a back
/// where nothing is drawn.
std::string card_table(std::optional<std::uint8_t> left, std::string_view left_label,
                       std::optional<std::uint8_t> right, std::string_view right_label,
                       card_style style = {});

/// 123456 → "1,234.56".
std::string money_text(std::int64_t minor);

/// Names come from other players: control characters are taken out and the rest cut to `columns`
/// characters.
std::string shown_name(std::string_view name, std::size_t columns = 24);

}  // namespace baraza::client
