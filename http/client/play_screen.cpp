#include "http/client/play_screen.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace baraza::client {

play_screen::play_screen() {
  const char* term = std::getenv("TERM");
  const char* no_colour = std::getenv("NO_COLOR");  // no-color.org: present and not empty
  terminal_ = ::isatty(STDOUT_FILENO) != 0;
  colour_ = terminal_ && !(no_colour && *no_colour) && !(term && std::string_view{term} == "dumb");
}

play_screen::~play_screen() { clear_status(); }

void play_screen::clear_status() {
  if (!status_open_) return;
  std::fputs("\r\x1B[K", stdout);
  std::fflush(stdout);
  status_open_ = false;
  last_status_.clear();
}

void play_screen::line(std::string_view text) {
  clear_status();
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
  std::fflush(stdout);
}

void play_screen::note(std::string_view text) {
  clear_status();
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

void play_screen::status(std::string_view text) {
  if (!terminal_ || text == last_status_) return;
  last_status_ = text;
  std::printf("\r\x1B[K%.*s", static_cast<int>(text.size()), text.data());
  std::fflush(stdout);
  status_open_ = true;
}

std::string play_screen::strong(std::string_view text) const {
  return colour_ ? "\x1B[1m" + std::string{text} + "\x1B[0m" : std::string{text};
}

void play_screen::drew(std::uint8_t card, bool mine, std::string_view opponent) {
  const std::string who = mine ? "You" : shown_name(opponent);
  line(who + " drew " + card_name(card, style()) + ".");
}

void play_screen::round(const games::draw::state& state, const games::draw::cards& cards,
                        std::uint8_t seat, std::string_view opponent, std::uint32_t number,
                        bool tie) {
  const std::uint8_t mine = *cards[seat], theirs = *cards[1 - seat];
  const bool won = mine % 13 > theirs % 13;
  const std::string score =
      std::to_string(state.wins[seat]) + ":" + std::to_string(state.wins[1 - seat]);
  const std::string verdict =
      tie ? "a tie; draw again" : (won ? "you win the round" : "the round is lost");
  if (!terminal_) {
    line("round " + std::to_string(number) + ": you " + card_name(mine) + ", " +
         shown_name(opponent) + " " + card_name(theirs) + ": " + verdict + " (" + score + ")");
    return;
  }
  clear_status();
  std::fputs(("\n" + card_table(mine, "You", theirs, opponent, style())).c_str(), stdout);
  line("    Round " + std::to_string(number) + ": " + strong(verdict) + ". Score " + strong(score) +
       ".");
}

}  // namespace baraza::client
