// What watchers see of a match: its events and its view as MessagePack maps. The server seed
// appears nowhere before the reveal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/table_state.hpp"

namespace baraza::actors {

inline constexpr std::uint32_t spectators_bit = 1u << 31;

/// One event as each group of seats may see it. Seats in no variant may not know that it happened.
struct public_event {
  std::uint64_t seq = 0;
  std::vector<table_events::variant_body> variants;  // bodies: one map each
  [[nodiscard]] std::size_t bytes() const;
};

/// Renders a lifecycle event (not a game's): the same for everybody.
public_event show(const table_state& state, std::uint64_t seq, const table_event::stamped& event);
/// Renders a game's event, as the match sees it right after applying it. `with_clock`: says whose
/// turn it is now.
public_event show_game(const table_state& state, std::uint64_t seq, millis at, std::uint8_t seat,
                       std::uint64_t command, std::string_view body, bool with_clock);

/// Joins events into one array body per group of seats.
std::vector<table_events::variant_body> bodies_of(const table_state& state,
                                                  const public_event* first, std::size_t count);
/// The array body as `seat` (no_seat: a spectator) may see it.
std::string body_for(std::uint8_t seat, const public_event* first, std::size_t count);

/// What is known only in memory: who has sent H_i, who has opened.
struct volatile_seats {
  std::uint32_t ready = 0, open = 0;
};
/// The whole table as `seat` may know it.
std::string view_of(const table_state& state, std::uint8_t seat, const volatile_seats& seats,
                    millis now);

}  // namespace baraza::actors
