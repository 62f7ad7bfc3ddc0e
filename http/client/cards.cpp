#include "http/client/cards.hpp"

#include <array>

namespace baraza::client {
namespace {

using namespace std::string_view_literals;

constexpr std::array ranks{"2"sv, "3"sv,  "4"sv, "5"sv, "6"sv, "7"sv, "8"sv,
                           "9"sv, "10"sv, "J"sv, "Q"sv, "K"sv, "A"sv};
constexpr std::array suits{"♣"sv, "♦"sv, "♥"sv, "♠"sv};
constexpr std::size_t card_columns = 9;
constexpr std::size_t label_columns = 24;
constexpr std::string_view margin = "    ";

std::string_view rank_of(std::uint8_t card) { return ranks[card % ranks.size()]; }
std::string_view suit_of(std::uint8_t card) { return suits[card / ranks.size() % suits.size()]; }
bool is_red(std::uint8_t card) { return card / 13 == 1 || card / 13 == 2; }

std::string painted(std::string_view text, std::uint8_t card, card_style style) {
  if (!style.colour || !is_red(card)) return std::string{text};
  return "\x1B[31m" + std::string{text} + "\x1B[0m";
}

/// Characters, not bytes: continuation bytes of UTF-8 take no column. Wide scripts may look uneven;
/// nothing breaks.
std::size_t columns_of(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t have = columns_of(text);
  if (have < columns) text.append(columns - have, ' ');
  return text;
}

std::array<std::string, 5> art(std::optional<std::uint8_t> card, card_style style) {
  if (!card) return {"┌───────┐", "│░░░░░░░│", "│░░░░░░░│", "│░░░░░░░│", "└───────┘"};
  const std::string_view rank = rank_of(*card);
  const std::string gap(card_columns - 3 - rank.size(), ' ');
  const auto ink = [&](std::string_view text) { return painted(text, *card, style); };
  return {"┌───────┐", "│" + ink(rank) + gap + " │", "│   " + ink(suit_of(*card)) + "   │",
          "│ " + gap + ink(rank) + "│", "└───────┘"};
}

}  // namespace

std::string card_name(std::uint8_t card, card_style style) {
  return painted(std::string{rank_of(card)} + std::string{suit_of(card)}, card, style);
}

std::string card_table(std::optional<std::uint8_t> left, std::string_view left_label,
                       std::optional<std::uint8_t> right, std::string_view right_label,
                       card_style style) {
  const auto a = art(left, style), b = art(right, style);
  std::string out{margin};
  out += padded(shown_name(left_label, label_columns), label_columns + 2) +
         shown_name(right_label, label_columns) + "\n";
  const std::string between(label_columns + 2 - card_columns, ' ');
  for (std::size_t line = 0; line < a.size(); ++line) {
    out += margin;
    out += a[line] + between + b[line] + "\n";
  }
  return out;
}

std::string money_text(std::int64_t minor) {
  const bool negative = minor < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(minor) : static_cast<std::uint64_t>(minor);
  std::string whole = std::to_string(size / 100);
  for (std::size_t at = whole.size(); at > 3;) whole.insert(at -= 3, ",");
  const std::string cents = std::to_string(100 + size % 100).substr(1);
  return (negative ? "-" : "") + whole + "." + cents;
}

std::string shown_name(std::string_view name, std::size_t columns) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7F) continue;
    // U+0080 … U+009F are control characters too, written C2 80 … C2 9F.
    if (c == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0) {
      ++i;
      continue;
    }
    if ((c & 0xC0) != 0x80 && ++count > columns) break;
    out += name[i];
  }
  return out;
}

}  // namespace baraza::client
