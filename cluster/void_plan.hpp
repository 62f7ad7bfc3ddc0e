// What a void commits: made from the journal and the escrow alone, without running the entity's
// code (rule D2).
#pragma once

#include <string>

#include "cluster/messages.hpp"
#include "cluster/services.hpp"

namespace baraza::cluster {

enum class void_outlook : std::uint8_t {
  planned,
  impossible,  // its kind cannot be voided, or it has no journal
  store_away   // ask again
};

/// Fills `ticket.work`, but for the epoch, with the commit that voids `who`. Blocks: for a thread
/// of the read pool.
void_outlook prepare_void(node_services& node, storage::reader& from, void_ticket& ticket,
                          const entity_id& who, const std::string& why);

/// What the wallets are told after the void: they believe their memory until they hear of a newer
/// balance. Nothing if it was not applied.
std::vector<envelope_ptr> wallet_hints(const void_ticket& ticket);

}  // namespace baraza::cluster
