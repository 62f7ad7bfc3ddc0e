// The table: one match from its creation to its settlement, as an entity (rules C, D1–D4, D7, E1).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "actors/entity.hpp"
#include "actors/games/game.hpp"
#include "actors/seal.hpp"

namespace baraza::actors {

struct table_options {
  actors::cluster_key cluster_key{};  // seals server seeds in the journal
  std::uint32_t rake_bp =
      0;  // of the pot, in basis points, 0 … 10,000; fixed for a match when it is created
  storage::slot_choice slots;               // of the account that takes the rake (rule A7)
  std::uint32_t ready_timeout_ms = 15'000;  // until every seat has sent H_i
  std::uint32_t open_timeout_ms =
      30'000;  // from the list of H_i until every seat has opened (fairness rule)
  std::uint32_t buy_in_timeout_ms = 15'000;  // until both stakes are in
  std::uint32_t resume_grace_ms =
      10'000;  // least time an awaited seat has after a crash or a move (rule C)
  const games::rules* (*find_game)(std::string_view) = nullptr;  // null: the registered games
  std::function<void(void*, std::size_t)> random_bytes;  // null: the operating system's generator
};

/// `options` must outlive the table: a node has one for all of them. `id.key` is the match's
/// UUIDv7.
std::unique_ptr<entity> make_table(const entity_id& id, const table_options& options);

}  // namespace baraza::actors
