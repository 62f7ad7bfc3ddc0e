// One simulated player: looks, gets ready, opens, acts, sends again what was not answered, moves to
// another edge when his own is gone. Some leave in the middle and say no more word.
#pragma once

#include <array>
#include <string>

#include "tests/sim/world.hpp"

namespace baraza::sim {

class node;

class player {
 public:
  player(world& w, int seat);
  void sit_down(const entity_id& table);
  void leave() { gone_ = left_ = true; }
  /// Also after the end: until he leaves, his session watches.
  [[nodiscard]] bool plays(const entity_id& table) const { return table_ == table && !left_; }

  const uuid key;

 private:
  void tick();
  void look_around(const std::string& view);
  void send(const actors::request& what);
  void acknowledged(std::uint64_t command, std::uint64_t seq);
  node* edge();

  world& world_;
  int seat_;
  bool gone_ = false, left_ = false;
  std::string seed_;
  std::array<std::uint8_t, 16> salt_{};
  entity_id table_;
  std::uint64_t edge_ = 0;
};

}  // namespace baraza::sim
