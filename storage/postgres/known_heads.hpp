// Journal heads that a writer's own connection has written: asking the server for them again would
// cost a look-up per member.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::storage::postgres {

/// A cache of fixed size: an entity has one slot, and whoever came last keeps it. Forgetting only
/// costs a check.
class known_heads {
 public:
  [[nodiscard]] bool is_at(const entity_id& entity, std::uint64_t seq) const {
    const auto& slot = slots_[place(entity)];
    return slot.seq == seq && slot.entity == entity;
  }
  void learn(const entity_id& entity, std::uint64_t seq) { slots_[place(entity)] = {entity, seq}; }
  void forget_all() { slots_.assign(slots, {}); }

 private:
  static constexpr std::size_t slots = 1 << 17;  // 4 MiB a writer: most of 100,000 busy wallets
  struct slot {
    entity_id entity;
    std::uint64_t seq = 0;  // 0: empty
  };
  static std::size_t place(const entity_id& entity) {
    return std::hash<entity_id>{}(entity) % slots;
  }
  std::vector<slot> slots_ = std::vector<slot>(slots);
};

}  // namespace baraza::storage::postgres
