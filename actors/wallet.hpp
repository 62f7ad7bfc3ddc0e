// The wallet: a player's accounts, as an entity (rule D5). It alone debits them; anyone credits.
#pragma once

#include <cstdint>
#include <memory>

#include "actors/entity.hpp"

namespace baraza::actors {

struct wallet_options {
  std::int64_t demo_grant_minor = 1'000'00;  // what a new player starts with, DEMO; 0: nothing
  storage::slot_choice slots;                // of the account that pays the grant (rule A7)
};

/// `options` must outlive the wallet. `id.key` is the player's key.
std::unique_ptr<entity> make_wallet(const entity_id& id, const wallet_options& options);

}  // namespace baraza::actors
