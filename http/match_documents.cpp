#include "http/match_documents.hpp"

#include "actors/games/game.hpp"
#include "actors/match_record.hpp"
#include "http/wire.hpp"

namespace baraza::http {

std::string games_document() {
  std::string out = "{\"games\":[";
  bool first = true;
  for (const auto* rules : games::registered()) {
    if (!std::exchange(first, false)) out += ',';
    out += "{\"name\":\"" + std::string{rules->name()} +
           "\",\"version\":" + std::to_string(rules->version()) + ",\"seats\":[" +
           std::to_string(rules->seats_min()) + ',' + std::to_string(rules->seats_max()) + "]}";
  }
  return out + "]}";
}

std::optional<std::string> match_record_document(
    const uuid& match, const std::vector<storage::journal_event>& events) {
  const auto record = actors::public_record(match, events);
  if (!record) return std::nullopt;
  return wire::to_json(*record);
}

std::optional<std::string> match_proof_document(const uuid& match,
                                                const std::vector<storage::journal_event>& events) {
  return actors::proof_of(match, events);
}

}  // namespace baraza::http
