// The lobby: one queue of players who want the same game for the same stake. Its state is volatile
// (rule E2): edges enter their tickets again, under the same ids, after it was activated anew.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "actors/entity.hpp"
#include "actors/games/game.hpp"
#include "actors/matcher.hpp"

namespace baraza::actors {

struct lobby_options {
  matcher_options matching;
  std::uint32_t round_ms =
      500;  // how often those who wait are matched again as their windows widen
  std::uint32_t grace_ms = 10'000;          // a lost connection leaves the queue after this
  std::uint32_t create_timeout_ms = 5'000;  // of one ask for a table
  std::uint32_t queue_max = 20'000;         // ≤ lobby_queue_max
  const games::rules* (*find_game)(std::string_view) = nullptr;  // null: the registered games
  std::function<uuid(millis)> new_match;                         // null: uuid::v7
};

/// The key of the lobby for these terms. `options` must be canonical (rules::check_options).
uuid lobby_key(std::string_view game, std::string_view options, std::int64_t stake,
               storage::currency money);

/// `options` must outlive the lobby.
std::unique_ptr<entity> make_lobby(const entity_id& id, const lobby_options& options);

}  // namespace baraza::actors
