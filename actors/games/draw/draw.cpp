#include "actors/games/draw/draw.hpp"

namespace baraza::games::draw {
namespace {

constexpr refusal already_drawn{"already_drawn", "You have drawn; wait for the other player."};
constexpr refusal bad_best_of{"bad_best_of", "best_of must be 1, 3, 5 or 7."};

int rank_of(std::uint8_t card) { return card % 13; }
bool is_playable(std::uint8_t best_of) { return best_of % 2 == 1 && best_of <= 7; }
std::uint8_t wins_needed(std::uint8_t best_of) {
  return static_cast<std::uint8_t>(best_of / 2 + 1);
}

void finish(state& s, std::optional<seat_index> winner, bool by_forfeit) {
  s.over = true;
  s.winner = winner;
  s.by_forfeit = by_forfeit;
}

}  // namespace

std::optional<refusal> check(const options& wanted) {
  if (!is_playable(wanted.best_of)) return bad_best_of;
  return std::nullopt;
}

state create(const options& chosen, const start&) {
  state s;
  s.best_of = chosen.best_of;
  return s;
}

answer<event> decide(const state& s, seat_index seat, const draw_card&, const table_view& table) {
  if (s.over) return refusals::match_over;
  if (s.drawn[seat]) return already_drawn;
  const auto card = static_cast<std::uint8_t>(table.deck.shuffle(s.nonce, deck_size)[seat]);
  return std::vector<event>{drawn{seat, card, s.round, s.nonce}};
}

void evolve(state& s, const drawn& e) {
  fold_expects(!s.over, "a card after the end");
  fold_expects(e.seat < 2, "no such seat");
  fold_expects(e.card < deck_size, "no such card");
  fold_expects(e.round == s.round && e.nonce == s.nonce, "a card of another round");
  fold_expects(!s.drawn[e.seat], "a second card in one round");
  const auto other = s.drawn[1 - e.seat];
  fold_expects(other != e.card, "one card drawn twice");
  s.drawn[e.seat] = e.card;
  if (!other) return;
  const int lead = rank_of(e.card) - rank_of(*other);
  s.last = s.drawn;
  s.drawn = {};
  ++s.nonce;
  if (lead == 0) return;  // a tie: the same round again, from a fresh deck
  const auto winner = static_cast<seat_index>(lead > 0 ? e.seat : 1 - e.seat);
  ++s.round;
  if (++s.wins[winner] == wins_needed(s.best_of)) finish(s, winner, false);
}

void evolve(state& s, const forfeited& e) {
  fold_expects(!s.over, "a forfeit after the end");
  fold_expects(e.seat < 2, "no such seat");
  finish(s, static_cast<seat_index>(1 - e.seat), true);
}

void evolve(state& s, const both_absent&) {
  fold_expects(!s.over, "an absence after the end");
  fold_expects(!s.drawn[0] && !s.drawn[1], "who has drawn was not absent");
  finish(s, std::nullopt, false);
}

std::vector<event> on_timeout(const state&, std::uint32_t late, const table_view&) {
  if (late == 0b11) return {both_absent{}};
  return {forfeited{static_cast<seat_index>(late == 0b01 ? 0 : 1), true}};
}

std::vector<event> on_forfeit(const state&, seat_index seat, const table_view&) {
  return {forfeited{seat, false}};
}

turn whose_turn(const state& s) {
  if (s.over) return {};
  const std::uint32_t seats = (s.drawn[0] ? 0u : 0b01u) | (s.drawn[1] ? 0u : 0b10u);
  return {seats, s.nonce + 1, turn_limit_ms};
}

std::optional<outcome> result(const state& s) {
  if (!s.over) return std::nullopt;
  if (!s.winner) return outcome{{1, 1}, "both_absent"};
  outcome end{{0, 0}, s.by_forfeit ? "forfeit" : "won"};
  end.weights[*s.winner] = 1;
  return end;
}

bool valid(const state& s) {
  const auto need = is_playable(s.best_of) ? wins_needed(s.best_of) : 0;
  if (need == 0 || s.wins[0] > need || s.wins[1] > need) return false;
  if (s.winner && *s.winner > 1) return false;
  if (!s.over && (s.winner || s.by_forfeit || s.wins[0] == need || s.wins[1] == need)) return false;
  if (s.round != 1u + s.wins[0] + s.wins[1] || s.nonce + 1 < s.round) return false;
  const auto is_card = [](std::optional<std::uint8_t> c) { return !c || *c < deck_size; };
  for (const auto& pair : {s.drawn, s.last}) {
    if (!is_card(pair[0]) || !is_card(pair[1])) return false;
  }
  return !(s.drawn[0] && s.drawn[1]);
}

std::uint64_t nonces_used(const state& s) {
  return std::uint64_t{s.nonce} + (s.drawn[0] || s.drawn[1] ? 1 : 0);
}

asked<command> cause_of(const event& e) {
  if (const auto* card = std::get_if<drawn>(&e))
    return {cause::kind::command, card->seat, draw_card{}, 0};
  if (const auto* gone = std::get_if<forfeited>(&e)) {
    if (!gone->late) return {cause::kind::forfeit, gone->seat, std::nullopt, 0};
    return {cause::kind::timeout, 0, std::nullopt, gone->seat == 0 ? 0b01u : 0b10u};
  }
  return {cause::kind::timeout, 0, std::nullopt, 0b11};
}

std::optional<command> bot(const screen& s, seat_index seat) {
  if (s.over || seat > 1 || s.drawn[seat]) return std::nullopt;
  return draw_card{};
}

}  // namespace baraza::games::draw
