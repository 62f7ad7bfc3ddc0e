// What the crash writer commits, so that its parent can tell a whole commit from half of one
// without having seen it.
#pragma once

#include <array>
#include <string>

#include "storage/store.hpp"

namespace baraza::tests {

inline constexpr std::size_t crash_entities = 8;
inline constexpr std::uint64_t crash_events = 2;  // of every commit; so heads are multiples of it

/// The writer, and its parent as its successor: who joins under the name fences the one before.
inline const storage::node_registration crash_node{
    .name = "crash", .address = "", .roles = "game", .writers = 1, .shards = 64};

/// All ids follow from `base` (a UUIDv7 of the run), the entity's index and the commit's number (1,
/// 2, …).
struct crash_plan {
  uuid base;
  [[nodiscard]] entity_id entity(std::size_t index) const;
  [[nodiscard]] storage::account_id account(std::size_t index) const;
  [[nodiscard]] storage::account_id shared_account() const;  // an escrow that all of them credit
  [[nodiscard]] std::array<uuid, 2> transfer_ids(std::size_t index, std::uint64_t number) const;
  [[nodiscard]] std::string payload(std::size_t index, std::uint64_t seq) const;
  [[nodiscard]] storage::commit commit_of(std::size_t index, std::uint64_t number,
                                          std::uint64_t epoch) const;
};

}  // namespace baraza::tests
