// Nim, the example of docs/writing-a-game.md: 21 stones, take one to three in turn, who takes the
// last wins.
#pragma once

#include "actors/games/hosted.hpp"

namespace baraza::games::nim {

struct options {  // none yet
  static void fields(auto&, auto&) {}
};

struct state {
  std::uint32_t stones = 21;
  std::uint32_t moves = 0;
  seat_index mover = 0;
  std::optional<seat_index> winner;
  bool by_forfeit = false;
  static void fields(auto& field, auto& self) {
    field("stones", self.stones);
    field("moves", self.moves);
    field("mover", self.mover);
    field("winner", self.winner);
    field("by_forfeit", self.by_forfeit);
  }
};
using screen = state;  // what a player sees: here everything

struct take {  // a command: what a player asks for
  static constexpr std::string_view name = "take";
  std::uint32_t stones = 1;
  static void fields(auto& field, auto& self) { field("stones", self.stones); }
};
using command = std::variant<take>;

struct taken {  // an event: what happened; journalled, broadcast, replayed
  static constexpr std::string_view name = "taken";
  seat_index seat = 0;
  std::uint32_t stones = 1;
  static void fields(auto& field, auto& self) {
    field("seat", self.seat);
    field("stones", self.stones);
  }
};
struct gone {
  static constexpr std::string_view name = "gone";
  seat_index seat = 0;
  bool late = false;  // its clock ran out; otherwise it conceded
  static void fields(auto& field, auto& self) {
    field("seat", self.seat);
    field("late", self.late);
  }
};
using event = std::variant<taken, gone>;

inline constexpr refusal not_your_turn{"not_your_turn", "Wait for the other player."};
inline constexpr refusal bad_count{"bad_count", "Take one, two or three stones that are there."};

inline std::optional<refusal> check(const options&) { return std::nullopt; }
inline state create(const options&, const start&) { return {}; }

inline answer<event> decide(const state& s, seat_index seat, const take& cmd, const table_view&) {
  if (seat != s.mover) return not_your_turn;
  if (cmd.stones < 1 || cmd.stones > 3 || cmd.stones > s.stones) return bad_count;
  return std::vector<event>{taken{seat, cmd.stones}};
}

inline void evolve(state& s, const taken& e) {
  fold_expects(!s.winner && e.seat == s.mover, "a move out of turn");
  fold_expects(e.stones >= 1 && e.stones <= 3 && e.stones <= s.stones, "a wrong number of stones");
  s.stones -= e.stones;
  s.mover = static_cast<seat_index>(1 - e.seat);
  ++s.moves;
  if (s.stones == 0) s.winner = e.seat;
}
inline void evolve(state& s, const gone& e) {
  fold_expects(!s.winner && e.seat < 2, "nobody to forfeit");
  s.winner = static_cast<seat_index>(1 - e.seat);
  s.by_forfeit = true;
}

inline std::vector<event> on_timeout(const state& s, std::uint32_t, const table_view&) {
  return {gone{s.mover, true}};
}
inline std::vector<event> on_forfeit(const state&, seat_index seat, const table_view&) {
  return {gone{seat, false}};
}
inline turn whose_turn(const state& s) {
  if (s.winner) return {};
  return {1u << s.mover, s.moves + 1, 20'000};
}
inline std::optional<outcome> result(const state& s) {
  if (!s.winner) return std::nullopt;
  outcome end{{0, 0}, s.by_forfeit ? "forfeit" : "won"};
  end.weights[*s.winner] = 1;
  return end;
}
inline screen view(const state& s, seat_index) { return s; }
inline bool valid(const state& s) {
  return s.stones <= 21 && s.mover < 2 && (!s.winner || *s.winner < 2) &&
         (s.winner || (s.stones > 0 && !s.by_forfeit));
}
inline std::uint64_t nonces_used(const state&) { return 0; }  // no chance in this game
inline asked<command> cause_of(const event& e) {
  if (const auto* move = std::get_if<taken>(&e))
    return {cause::kind::command, move->seat, take{move->stones}, 0};
  const auto& left = std::get<gone>(e);
  if (left.late) return {cause::kind::timeout, 0, std::nullopt, 1u << left.seat};
  return {cause::kind::forfeit, left.seat, std::nullopt, 0};
}
inline std::optional<command> bot(const screen& s, seat_index seat) {
  if (s.winner || s.mover != seat) return std::nullopt;
  return take{s.stones % 4 == 0 ? 1 : s.stones % 4};  // leave a multiple of four
}

struct game {
  static constexpr std::string_view name = "nim";
  static constexpr std::uint32_t version = 1;
  static constexpr std::uint8_t seats_min = 2;
  static constexpr std::uint8_t seats_max = 2;
  static constexpr bool hides_nothing = true;
  using options = nim::options;
  using state = nim::state;
  using screen = nim::screen;
  using command = nim::command;
  using event = nim::event;
  static std::vector<command> samples() { return {take{1}, take{2}, take{3}}; }
};

}  // namespace baraza::games::nim
