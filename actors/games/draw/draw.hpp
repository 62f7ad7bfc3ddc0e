// The card draw duel: each of two players draws one card of a fresh deck, the higher rank wins the
// round, equal ranks are drawn again, and the first to win more than half of `best_of` rounds wins
// the match.
//
//   both awaited ──drawn──▶ one awaited ──drawn──▶ round decided ──▶ both awaited (next nonce) …
//   ──▶ over
//        └── forfeited / both_absent ──▶ over ◀── forfeited ──┘
//
// Refusals: already_drawn; bad_command, no_such_seat and match_over come from the host.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/games/hosted.hpp"

namespace baraza::games::draw {

inline constexpr std::int32_t turn_limit_ms = 15'000;
inline constexpr std::uint16_t deck_size = 52;

struct options {
  std::uint8_t best_of = 3;  // 1, 3, 5 or 7
  static void fields(auto& field, auto& self) { field.optional("best_of", self.best_of); }
};

using cards = std::array<std::optional<std::uint8_t>, 2>;  // by seat; nothing while undrawn

struct state {
  std::uint8_t best_of = 3;
  std::uint32_t round = 1;  // of decided rounds the next; a tie does not count
  std::uint32_t nonce = 0;  // of the deck that is being drawn from
  std::array<std::uint8_t, 2> wins{};
  cards drawn{};
  cards last{};  // of the deck before, so that a screen can show how it ended
  bool over = false;
  std::optional<seat_index> winner;  // none after both stayed away
  bool by_forfeit = false;
  static void fields(auto& field, auto& self) {
    field("best_of", self.best_of);
    field("round", self.round);
    field("nonce", self.nonce);
    field("wins", self.wins);
    field("drawn", self.drawn);
    field("last", self.last);
    field("over", self.over);
    field("winner", self.winner);
    field("by_forfeit", self.by_forfeit);
  }
};

/// Everybody sees everything that was drawn, and nothing else is in the state.
using screen = state;

struct draw_card {
  static constexpr std::string_view name = "draw";
  static void fields(auto&, auto&) {}
};
using command = std::variant<draw_card>;

struct drawn {
  static constexpr std::string_view name = "drawn";
  seat_index seat = 0;
  std::uint8_t card = 0;  // rank card mod 13 (0 two … 12 ace), suit card div 13
  std::uint32_t round = 1;
  std::uint32_t nonce = 0;
  static void fields(auto& field, auto& self) {
    field("seat", self.seat);
    field("card", self.card);
    field("round", self.round);
    field("nonce", self.nonce);
  }
};
struct forfeited {
  static constexpr std::string_view name = "forfeited";
  seat_index seat = 0;
  bool late = false;  // true: its clock ran out; false: it conceded or was removed
  static void fields(auto& field, auto& self) {
    field("seat", self.seat);
    field("late", self.late);
  }
};
struct both_absent {
  static constexpr std::string_view name = "both_absent";
  static void fields(auto&, auto&) {}
};
using event = std::variant<drawn, forfeited, both_absent>;

std::optional<refusal> check(const options& wanted);
state create(const options& chosen, const start& how);
answer<event> decide(const state& s, seat_index seat, const draw_card& cmd,
                     const table_view& table);
void evolve(state& s, const drawn& e);
void evolve(state& s, const forfeited& e);
void evolve(state& s, const both_absent& e);
std::vector<event> on_timeout(const state& s, std::uint32_t late, const table_view& table);
std::vector<event> on_forfeit(const state& s, seat_index seat, const table_view& table);
turn whose_turn(const state& s);
std::optional<outcome> result(const state& s);
inline screen view(const state& s, seat_index) { return s; }
bool valid(const state& s);
std::uint64_t nonces_used(const state& s);
asked<command> cause_of(const event& e);
std::optional<command> bot(const screen& s, seat_index seat);

struct game {
  static constexpr std::string_view name = "draw";
  static constexpr std::uint32_t version = 1;
  static constexpr std::uint8_t seats_min = 2;
  static constexpr std::uint8_t seats_max = 2;
  static constexpr bool hides_nothing = true;
  static constexpr std::uint16_t shuffle_size = deck_size;
  using options = draw::options;
  using state = draw::state;
  using screen = draw::screen;
  using command = draw::command;
  using event = draw::event;
  static std::vector<command> samples() { return {draw_card{}}; }
};

}  // namespace baraza::games::draw
