// Players as they behave at a table: they look, get ready, open, act when it is their turn, and
// send again what was not answered.
#pragma once

#include <optional>
#include <string>

#include "harness.hpp"
#include "msgpack_look.hpp"

namespace baraza::test {

/// What a player keeps on his own device.
struct player {
  uuid key;
  std::string seed = "luck";
  std::array<std::uint8_t, 16> salt{};
  std::uint64_t counter = 0;  // of the last command sent
  [[nodiscard]] std::array<std::uint8_t, 32> hash() const;
};
player make_player(std::mt19937_64& random);

inline entity_id wallet_of(const player& who) { return {entity_kind::wallet, who.key}; }
inline entity_id table_id(const uuid& match) { return {entity_kind::table, match}; }

/// Two players of one match that never leave.
struct duel {
  duel(world& w, std::string game = "secret", std::int64_t stake = 500, std::string options = {});
  world& w;
  player one, two;
  uuid match;
  actors::table_create terms;

  [[nodiscard]] entity_id table() const { return table_id(match); }
  const player& seat(int i) const { return i == 0 ? one : two; }
  player& seat(int i) { return i == 0 ? one : two; }
  [[nodiscard]] look view(const uuid& who = {});  // asks for a fresh view
  [[nodiscard]] std::string phase() { return view()["phase"].text(); }
  actors::answer create();
  actors::answer ready(int seat);
  actors::answer open(int seat);
  actors::answer act(int seat, std::string action);  // the next counter
  actors::answer act_as(int seat, std::string action, std::uint64_t counter);
  void reach_opening();
  void reach_buying();
  void reach_play();
  /// One look and whatever follows from it, through lossy sessions; true once the match is over.
  bool tick(int seat);
  /// Both players tick until the match is over or `time` has passed.
  bool play_out(millis time = 600'000);
  [[nodiscard]] const model_store::account* escrow() const {
    return w.store.find(storage::escrow_account(match, terms.money));
  }
  [[nodiscard]] bool is_over() const;
};

bool is_accepted(const actors::answer& what);
std::string code_of(const actors::answer& what);  // of a refusal; else ""

}  // namespace baraza::test
