#include "actors/match_record.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <ctime>

#include "actors/games/payout.hpp"
#include "actors/games/proof.hpp"
#include "actors/games/proof_json.hpp"
#include "actors/pack.hpp"
#include "actors/table_view.hpp"

namespace baraza::actors {
namespace {

using namespace pack;
using storage::journal_event;

/// The seed that the journal itself reveals; before the end there is none.
std::optional<fair::bytes32> revealed(const std::vector<journal_event>& journal) {
  for (auto at = journal.rbegin(); at != journal.rend(); ++at) {
    const auto kind = table_event::kind_of(at->payload);
    if (kind != table_event::kind::ended && kind != table_event::kind::aborted &&
        kind != table_event::kind::voided)
      continue;
    try {
      const auto e = table_event::decode(at->payload);
      if (const auto* end = std::get_if<table_event::ended>(&e.what)) return end->server_seed;
      if (const auto* end = std::get_if<table_event::aborted>(&e.what)) return end->server_seed;
      if (const auto* end = std::get_if<table_event::voided>(&e.what)) return end->server_seed;
    } catch (const games::cannot_fold&) {
    }
  }
  return std::nullopt;
}

/// A state that runs the game if its seed is known, and passes the game's events over if not.
table_state state_for(const uuid& match, const std::vector<journal_event>& journal,
                      const cluster_key* key, game_finder find) {
  const auto seed = revealed(journal);
  table_state state{match, key, seed || key != nullptr ? find : nullptr};
  if (seed) state.reveal(*seed);
  return state;
}

struct times {
  std::optional<millis> created, hashed, locked, started, ended;
};

times times_of(const std::vector<journal_event>& journal) {
  times out;
  for (const auto& event : journal) {
    try {
      const auto e = table_event::decode(event.payload);
      switch (static_cast<table_event::kind>(e.what.index() + 1)) {
        case table_event::kind::created:
          out.created = e.at;
          break;
        case table_event::kind::hashes:
          out.hashed = e.at;
          break;
        case table_event::kind::locked:
          out.locked = e.at;
          break;
        case table_event::kind::started:
          out.started = e.at;
          break;
        case table_event::kind::ended:
        case table_event::kind::aborted:
        case table_event::kind::voided:
          out.ended = e.at;
          break;
        default:
          break;
      }
    } catch (const games::cannot_fold&) {
    }
  }
  return out;
}

void put_time(std::string& out, std::string_view name, const std::optional<millis>& at) {
  put_text(out, name);
  at ? put_int(out, *at) : put_nil(out);
}

std::string when(millis at) {
  const auto seconds = static_cast<std::time_t>(at / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const auto size = std::strftime(text, sizeof text, "%F %T", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03d", static_cast<int>(at % 1000));
  return text;
}

std::string json_of(std::string_view msgpack) {
  return boost::json::serialize(games::proof_json::readable(msgpack));
}

/// Our own maps nest deeper than a proof's values: the event without its envelope, as one line.
std::string line_of(const table_state& state, std::uint64_t seq, std::string_view bytes) {
  std::string line = '#' + std::to_string(seq) + ' ';
  try {
    const auto e = table_event::decode(bytes);
    line += when(e.at) + ' ';
    if (const auto* played = std::get_if<table_event::game>(&e.what)) {
      line += "game";
      if (played->seat != table_event::no_seat) line += " seat " + std::to_string(played->seat);
      if (played->command != 0) line += " command " + std::to_string(played->command);
      return line + ' ' + json_of(played->body);
    }
    return line + json_of(show(state, seq, e).variants.front().body);
  } catch (const games::cannot_fold& why) {
    return line + "unreadable (" + std::to_string(bytes.size()) + " bytes): " + why.what();
  }
}

}  // namespace

std::optional<std::string> public_record(const uuid& match,
                                         const std::vector<journal_event>& journal,
                                         game_finder find) {
  if (journal.empty()) return std::nullopt;
  auto state = state_for(match, journal, nullptr, find);
  std::string events;
  std::size_t count = 0;
  for (const auto& event : journal) {
    try {
      state.fold(event.seq, event.payload);
      const auto e = table_event::decode(event.payload);
      const auto* played = std::get_if<table_event::game>(&e.what);
      if (played != nullptr && !state.play) continue;
      const auto shown = played ? show_game(state, event.seq, e.at, played->seat, played->command,
                                            played->body, false)
                                : show(state, event.seq, e);
      for (const auto& variant : shown.variants) {
        if ((variant.seats & spectators_bit) == 0) continue;
        events += variant.body;
        ++count;
      }
    } catch (const std::exception&) {
      state.play.reset();  // a match that was voided for this very event
      state.seq = event.seq;
    }
  }
  if (state.now == phase::none) return std::nullopt;
  const auto at = times_of(journal);
  std::string out;
  out.reserve(events.size() + 1024);
  put_map(out, 6);
  put_text(out, "match");
  put_text(out, match.to_string());
  put_time(out, "created_at", at.created);
  put_time(out, "started_at", at.started);
  put_time(out, "ended_at", at.ended);
  put_text(out, "table");
  out += view_of(state, table_event::no_seat, {}, state.last_at);
  put_text(out, "events");
  put_array(out, count);
  out += events;
  return out;
}

std::optional<std::string> proof_of(const uuid& match, const std::vector<journal_event>& journal) {
  auto state = state_for(match, journal, nullptr, &games::find);
  games::match_record record;
  try {
    for (const auto& event : journal) {
      state.fold(event.seq, event.payload);
      const auto e = table_event::decode(event.payload);
      if (const auto* played = std::get_if<table_event::game>(&e.what))
        record.log.push_back({event.seq, e.at, std::string{played->body}});
      if (const auto* end = std::get_if<table_event::ended>(&e.what))
        record.end = {end->weights, end->reason};
    }
    if (state.now != phase::ended || !state.result->server_seed) return std::nullopt;
    const auto at = times_of(journal);
    record.match = match.to_string();
    record.game = state.game;
    record.rules_version = state.rules_version;
    record.options = state.options;
    record.currency = storage::to_string(state.money);
    record.rake_bp = state.rake_bp;
    record.server_seed = *state.result->server_seed;
    record.commit = state.commit;
    record.commit_at = at.created.value_or(0);
    record.started_at = at.started.value_or(0);
    record.ended_at = at.ended.value_or(0);
    record.paid = {state.result->payouts, state.result->rake};
    for (const auto& seat : state.seats)
      record.seats.push_back({seat.player.to_string(),
                              state.stake,
                              seat.seed,
                              {reinterpret_cast<const char*>(seat.salt.data()), seat.salt.size()},
                              seat.hash,
                              at.hashed.value_or(0),
                              at.locked.value_or(0)});
    return games::write_proof(record);
  } catch (
      const std::exception&) {  // a journal that cannot be folded has no proof; its replay says why
    return std::nullopt;
  }
}

replay_report replay(const uuid& match, const std::vector<journal_event>& journal,
                     const cluster_key* key, game_finder find) {
  replay_report out;
  auto state = state_for(match, journal, key, find);
  std::string broken;
  for (const auto& event : journal) {
    try {
      state.fold(event.seq, event.payload);
    } catch (const std::exception& why) {
      if (broken.empty())
        broken = "event " + std::to_string(event.seq) + " does not fold: " + why.what();
      state.play.reset();
      state.seq = event.seq;
    }
    out.lines.push_back(line_of(state, event.seq, event.payload));
    if (table_event::kind_of(event.payload) == table_event::kind::game && state.play)
      out.lines.push_back("    " + json_of(state.play->view(games::spectator)));
  }
  out.folds = broken.empty() && state.now != phase::none;
  out.equal = out.folds;
  out.verdict = broken.empty()
                    ? "the journal folds; the match is " + std::string{to_string(state.now)}
                    : broken;
  if (!out.folds || state.now != phase::ended) return out;

  const auto outcome = state.play ? state.play->result() : std::nullopt;
  if (outcome) {
    const std::vector<std::int64_t> stakes(state.seats.size(), state.stake);
    const auto paid = games::settle(stakes, state.rake_bp, *outcome);
    out.equal = outcome->reason == state.result->reason && paid.payouts == state.result->payouts &&
                paid.rake == state.result->rake;
  } else {
    out.equal = false;
  }
  out.verdict = out.equal ? "the fold equals the stored outcome"
                          : "the fold gives another outcome than the journal states";
  return out;
}

}  // namespace baraza::actors
