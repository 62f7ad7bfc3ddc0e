// A match told from its journal: the public record, the proof, and the replay that people read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/seal.hpp"
#include "actors/table_state.hpp"
#include "storage/store.hpp"

namespace baraza::actors {

/// The record as a MessagePack map {"match", "created_at", "started_at", "ended_at", "table":
/// <spectator's view>, "events": [<public events>]}; times that have not come are nil. While the
/// match runs its game events are left out (they need the server seed, which is not given here).
/// Nothing if the journal holds no match.
std::optional<std::string> public_record(const uuid& match,
                                         const std::vector<storage::journal_event>& journal,
                                         game_finder find = &games::find);

/// The proof file's text (actors/games/proof.hpp). Nothing unless the match was played to its end.
std::optional<std::string> proof_of(const uuid& match,
                                    const std::vector<storage::journal_event>& journal);

/// One line per event and, after each event of the game, one with the state it made.
struct replay_report {
  std::vector<std::string> lines;
  bool folds = false;   // every event could be applied
  bool equal = false;   // the fold's outcome is the stored one, to the cent (true for a match that
                        // was not played to its end)
  std::string verdict;  // one sentence
};
/// @param key opens the seed of a match that has not revealed it; null: such a match's game events
/// are shown, not folded
replay_report replay(const uuid& match, const std::vector<storage::journal_event>& journal,
                     const cluster_key* key, game_finder find = &games::find);

}  // namespace baraza::actors
