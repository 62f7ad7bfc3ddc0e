// Profile, wallet, history, matches, games: reads of the player's own things and of public records.
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "cluster/read_pool.hpp"
#include "http/routes.hpp"

namespace baraza::http {
namespace {

namespace json = boost::json;
constexpr std::uint32_t history_limit_default = 50, history_limit_max = 200;
constexpr std::uint32_t match_events_max = 10'000;

json::string_view view(std::string_view s) { return {s.data(), s.size()}; }

std::optional<storage::currency> money_of(const exchange& x) {
  const auto text = x.query("currency");
  return text.empty() ? storage::currency::demo : storage::parse_currency(text);
}

void show_profile(edge_shared& shared, const exchange& x) {
  shared.accounts->profile(*x.who, [x](std::variant<profile_view, auth_error> out) {
    if (const auto* why = std::get_if<auth_error>(&out)) return x.fail(*why);
    const auto& who = std::get<profile_view>(out);
    json::object body{
        {"player", who.player.to_string()}, {"display", view(who.display)}, {"guest", who.guest}};
    if (!who.guest) body["name"] = view(who.name);
    x.ok(json::serialize(body));
  });
}

/// One place maps the codes of entities to HTTP.
int status_of(std::string_view code) {
  if (code == "timeout") return 504;
  if (code == "not_found" || code == "gone") return 404;
  if (code == "overloaded" || code == "paused" || code == "unavailable" || code == "stopping")
    return 503;
  if (code == "internal") return 500;
  return 409;
}

void show_wallet(edge_shared& shared, const exchange& x) {
  const auto money = money_of(x);
  if (!money) return x.fail(422, "bad_field", "The currency is DEMO or KES.");
  const entity_id wallet{entity_kind::wallet, x.who->player};
  shared.to->ask(
      wallet, actors::wallet_get{*money}, x.what.request_id, shared.options.ask_deadline,
      [x](const actors::answer& out) {
        if (const auto* why = std::get_if<actors::refused>(&out))
          return x.fail(status_of(why->code), why->code, why->message, why->retry_ms);
        const auto* state = std::get_if<actors::wallet_state>(&out);
        if (state == nullptr)
          return x.fail(500, "internal", "The wallet gave an unexpected answer.");
        x.ok(json::serialize(json::object{{"currency", view(storage::to_string(state->money))},
                                          {"balance", state->balance},
                                          {"available", state->available},
                                          {"version", state->version}}));
      });
}

void show_history(cluster::read_pool& reads, const exchange& x) {
  const auto money = money_of(x);
  if (!money) return x.fail(422, "bad_field", "The currency is DEMO or KES.");
  std::optional<uuid> before;
  if (const auto text = x.query("before"); !text.empty()) {
    before = uuid::parse(text);
    if (!before) return x.fail(422, "bad_field", "before is the id of a transfer.");
  }
  std::uint32_t limit = history_limit_default;
  if (const auto text = x.query("limit"); !text.empty()) {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || limit < 1 ||
        limit > history_limit_max) {
      return x.fail(422, "bad_field", "limit is a number from 1 to 200.");
    }
  }
  const bool queued = reads.submit([x, money = *money, before, limit](storage::reader& reader) {
    const auto rows = reader.history(x.who->player, money, before, limit);
    if (!rows) return x.fail(503, "unavailable", "The history cannot be read right now.", 1000);
    json::array transfers;
    for (const auto& row : *rows) {
      transfers.push_back(json::object{{"id", row.what.id.to_string()},
                                       {"at", row.at},
                                       {"kind", view(storage::to_string(row.what.kind))},
                                       {"amount", row.credit ? row.what.amount : -row.what.amount},
                                       {"currency", view(storage::to_string(row.what.money))},
                                       {"reference", row.what.reference.to_string()}});
    }
    json::object body{{"transfers", std::move(transfers)}};
    if (rows->size() == limit) body["next_before"] = rows->back().what.id.to_string();
    x.ok(json::serialize(body));
  });
  if (!queued) x.fail(503, "overloaded", "Too many reads are waiting.", 1000);
}

void show_match(cluster::read_pool& reads, const edge_callbacks::match_document& document,
                const exchange& x) {
  const auto match = uuid::parse(x.parts.at(0));
  if (!match || !document) return x.fail(404, "not_found", "There is no such match.");
  const bool queued = reads.submit([x, match = *match, document](storage::reader& reader) {
    const auto events = reader.events({entity_kind::table, match}, 0, match_events_max);
    if (!events) return x.fail(503, "unavailable", "The match cannot be read right now.", 1000);
    if (events->empty()) return x.fail(404, "not_found", "There is no such match.");
    auto body = document(match, *events);
    if (!body) return x.fail(404, "not_found", "The match has no such document yet.");
    x.ok(std::move(*body));
  });
  if (!queued) x.fail(503, "overloaded", "Too many reads are waiting.", 1000);
}

}  // namespace

void add_player_routes(std::vector<route>& to, edge_shared& shared, cluster::read_pool& reads,
                       const edge_callbacks& callbacks) {
  auto* s = &shared;
  auto* r = &reads;
  to.push_back({"GET", "/v1/profile", 0, true, [s](const exchange& x) { show_profile(*s, x); }});
  to.push_back({"GET", "/v1/wallet", 0, true, [s](const exchange& x) { show_wallet(*s, x); }});
  to.push_back(
      {"GET", "/v1/wallet/history", 0, true, [r](const exchange& x) { show_history(*r, x); }});
  to.push_back(
      {"GET", "/v1/matches/{id}", 0, false,
       [r, record = callbacks.match_record](const exchange& x) { show_match(*r, record, x); }});
  to.push_back(
      {"GET", "/v1/matches/{id}/proof", 0, false,
       [r, proof = callbacks.match_proof](const exchange& x) { show_match(*r, proof, x); }});
  to.push_back({"GET", "/v1/games", 0, false, [games = callbacks.games](const exchange& x) {
                  x.ok(games ? games() : "{\"games\":[]}");
                }});
  to.push_back({"GET", "/v1/play", 0, false, [](const exchange& x) {
                  x.fail(426, "upgrade_required",
                         "This address speaks WebSocket, version 13, only.");
                }});
}

}  // namespace baraza::http
