// Ending a match whose journal cannot be folded, without running its game (rule D2).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "actors/entity.hpp"
#include "actors/seal.hpp"

namespace baraza::actors {

/// The accounts that may hold a match's stakes: the one in the currency that its opening event
/// names, or, if that event cannot be read, one in each currency.
std::vector<storage::account_id> escrows_of(const uuid& match,
                                            const std::vector<storage::journal_event>& journal);

/// The commit that voids a match at `head` + 1: reverses what came into its escrow, closes it,
/// reveals the seed, clears the wake-up, and leaves a snapshot so that a later activation shows the
/// void and need not fold what cannot be folded.
/// @param journal all its events, from seq 1
/// @param escrow all transfers into and out of its escrow
/// @returns nothing if the match is over already (settled, aborted or voided), or was never created
/// and holds no money
std::optional<void_plan> plan_void(const entity_id& table, std::uint64_t head,
                                   const std::vector<storage::journal_event>& journal,
                                   const std::vector<storage::transfer>& escrow,
                                   std::string_view reason, const cluster_key* key, millis now);

}  // namespace baraza::actors
