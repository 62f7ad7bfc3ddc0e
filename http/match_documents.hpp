// JSON documents of games and matches for the HTTP routes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace baraza::http {

/// {"games":[{"name","version","seats":[min,max]}]}
std::string games_document();
/// The public record of a match from its journal; nothing secret before the end. Nothing: there is
/// no such match.
std::optional<std::string> match_record_document(const uuid& match,
                                                 const std::vector<storage::journal_event>& events);
/// The proof of an ended match; nothing before its end.
std::optional<std::string> match_proof_document(const uuid& match,
                                                const std::vector<storage::journal_event>& events);

}  // namespace baraza::http
