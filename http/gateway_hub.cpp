#include "http/gateway_hub.hpp"

#include <algorithm>
#include <caf/send.hpp>

#include "actors/games/game.hpp"
#include "actors/lobby.hpp"
#include "http/limits.hpp"

namespace baraza::http {
namespace {

using actors::refused;
using cluster::cluster_clock;

constexpr std::size_t tickets_per_session_max = 4;
constexpr std::size_t asks_max =
    10'000;                             // HTTP requests waiting for an entity; beyond: `overloaded`
constexpr millis watch_again_ms = 500;  // after a refusal that passes
constexpr millis lost_tickets_ms = 15'000;  // longer than the lobby's grace time

shared_frame error(std::uint64_t id, std::string_view code, std::string_view message,
                   std::uint32_t retry_ms = 0) {
  return std::make_shared<const std::string>(wire::error_frame(id, code, message, retry_ms));
}

/// "Not now", not "no": the node is past its lease, its queue is full, the shard is on its way.
bool is_passing(std::string_view code) {
  return code == "paused" || code == "overloaded" || code == "unavailable";
}

}  // namespace

session_number gateway_hub::attach(const uuid& player, const uuid& login, std::string display,
                                   std::weak_ptr<session_sink> sink) {
  const turn held{*this};
  const auto number = ++last_session_;
  auto& added = sessions_[number];
  added.player = player;
  added.login = login;
  added.display = std::move(display);
  added.sink = std::move(sink);
  players_[player].push_back(number);
  ++node_->counters.sessions;
  if (const auto lost = lost_.find(player);
      lost != lost_.end()) {  // back within the grace time: the place in the queue is kept
    for (auto& [what, until] : lost->second) {
      send(what.lobby, actors::lobby_back{what.ticket, player}, {});
      added.tickets.push_back(what);
    }
    lost_.erase(lost);
  }
  return number;
}

void gateway_hub::detach(session_number number) {
  const turn held{*this};
  const auto known = sessions_.find(number);
  if (known == sessions_.end()) return;
  auto gone = std::move(known->second);
  sessions_.erase(known);
  --node_->counters.sessions;
  auto& others = players_[gone.player];
  std::erase(others, number);
  if (others.empty()) players_.erase(gone.player);
  for (const auto& table : gone.tables) leave(table, number);
  for (auto& ticket : gone.tickets) {
    send(ticket.lobby, actors::lobby_leave{ticket.ticket, gone.player, true}, {});
    lost_[gone.player].push_back({ticket, cluster_clock::steady() + lost_tickets_ms});
  }
}

void gateway_hub::handle(session_number number, wire::client_frame frame) {
  const turn held{*this};
  const auto known = sessions_.find(number);
  if (known == sessions_.end()) return;
  auto& from = known->second;
  const auto id = frame.id;
  if (closing_)
    return tell(from, error(id, "going_away", "this edge is going away; connect again"));
  std::size_t theirs = 0;
  for (const auto& p : from.waiting) {
    if (p.id == id)
      return tell(
          from, error(id, "duplicate_id", "this id belongs to a request that is not answered yet"));
    theirs += (p.id & own_request) == 0;
  }
  if (theirs >= options_.inflight)
    return tell(from, error(id, "too_many_requests", "too many requests are not answered yet"));
  if (node_->trace)
    node_->trace({options_.edge, number, id, nullptr}, "edge.request",
                 {entity_kind::wallet, from.player},
                 "message " + std::to_string(frame.body.index()));
  std::visit([&](auto& body) { ask_entity(number, from, id, body); }, frame.body);
}

void gateway_hub::ask(const entity_id& to, actors::request what, std::string_view request_id,
                      std::chrono::milliseconds deadline,
                      std::function<void(const actors::answer&)> answered) {
  std::unique_lock lock{mutex_};
  if (asks_.size() >= asks_max) {
    lock.unlock();
    return answered(refused{"overloaded", "too many requests wait for an answer", 1000});
  }
  const auto number = ++last_ask_;
  auto& waiting = asks_[number];
  waiting.deadline = cluster_clock::steady() + deadline.count();
  waiting.answered = std::move(answered);
  auto name = std::make_shared<const std::string>(request_id);
  if (node_->trace) node_->trace({options_.edge, 0, number, name}, "edge.request", to, "http");
  waiting.sent = send(to, std::move(what), {options_.edge, 0, number, std::nullopt},
                      deadline.count(), std::move(name));
}

void gateway_hub::end_sessions(const uuid& player, const uuid* login) {
  const turn held{*this};
  if (login == nullptr) leave_lobbies(player);  // nobody is left who could play
  const auto theirs = players_.find(player);
  if (theirs == players_.end()) return;
  for (const auto number : theirs->second) {
    const auto& s = sessions_.at(number);
    if (login != nullptr && s.login != *login) continue;
    if (const auto sink = s.sink.lock()) sink->close(1008, "logged out");
  }
}

void gateway_hub::hear_ended(bridge::ended_elsewhere hears) {
  const std::lock_guard lock{hears_mutex_};
  hears_ = std::move(hears);
}
void gateway_hub::on_ended(const cluster::wire::logins_ended& m) {
  const auto* login = m.login.is_nil() ? nullptr : &m.login;
  {
    const std::lock_guard lock{hears_mutex_};
    if (hears_) hears_(m.player, login);
  }
  end_sessions(m.player, login);
}

void gateway_hub::go_away(std::uint32_t retry_ms) {
  const turn held{*this};
  closing_ = true;
  const auto frame = going_away_frame(retry_ms);
  for (auto& [number, s] : sessions_) tell(s, frame);
}

std::size_t gateway_hub::count() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}
void gateway_hub::answer_ask(const cluster::edge_answer& m) {
  std::unique_lock lock{mutex_};
  const auto known = asks_.find(m.request);
  if (known == asks_.end()) return;
  const auto answered = std::move(known->second.answered);
  asks_.erase(known);
  lock.unlock();
  answered(m.what);
}

void gateway_hub::on_answer(cluster::edge_answer& m) {
  if (m.session == 0) return answer_ask(m);
  const turn held{*this, turn::of::gateway};
  if (m.session == renewal_session) return catch_up(m.request);
  const auto known = sessions_.find(m.session);
  if (known == sessions_.end()) return;
  auto& to = known->second;
  const auto asked = std::find_if(to.waiting.begin(), to.waiting.end(),
                                  [&](const pending& p) { return p.id == m.request; });
  if (asked == to.waiting.end()) return;  // timed out before; the client knows it as unknown
  const auto* no = std::get_if<refused>(&m.what);
  if (no != nullptr && (asked->id & own_request) != 0 && !asked->table.is_nil() &&
      is_passing(no->code)) {
    // Nobody asked for this watch but we, and it says nothing about the table: the sweep asks
    // again.
    asked->deadline = cluster_clock::steady() + std::max<millis>(no->retry_ms, watch_again_ms);
    return;
  }
  const auto what = *asked;
  to.waiting.erase(asked);
  if (const auto* view = std::get_if<actors::table_view>(&m.what))
    return on_view(m.session, to, what, *view);
  if (std::holds_alternative<refused>(m.what)) {
    if (!what.ticket.is_nil())
      std::erase_if(to.tickets, [&](const lobby_ticket& t) { return t.ticket == what.ticket; });
    if (!what.table.is_nil()) forget_table(m.session, to, what.table);
  }
  if ((what.id & own_request) == 0)
    tell(to, answer_frame(what.id, m.what));
  else if (!what.table.is_nil())
    tell(to, gone_frame(what.table, std::get<refused>(m.what)));
}

void gateway_hub::on_push(const actors::push& what) {
  const turn held{*this, turn::of::gateway};
  if (const auto* events = std::get_if<actors::table_events>(&what))
    on_events(*events);
  else if (const auto* one = std::get_if<actors::player_push>(&what))
    on_player(*one);
  else if (const auto* again = std::get_if<actors::table_restarted>(&what))
    catch_up(low_half(again->table));
}

void gateway_hub::flush() {
  std::vector<letter> all;
  {
    const std::lock_guard lock{mutex_};
    all.swap(kept_);
  }
  deliver(all);
}

void gateway_hub::sweep() {
  std::vector<std::function<void(const actors::answer&)>> late;
  {
    const turn held{*this, turn::of::gateway};
    const auto now = cluster_clock::steady();
    for (auto& [number, s] : sessions_) time_out(number, s, now);
    for (auto ask = asks_.begin(); ask != asks_.end();) {
      if (ask->second.deadline > now) {
        ++ask;
        continue;
      }
      late.push_back(std::move(ask->second.answered));
      ask = asks_.erase(ask);
    }
    renew_subscriptions(now);
    for (auto lost = lost_.begin(); lost != lost_.end();) {
      std::erase_if(lost->second, [&](const lost_ticket& l) { return l.until < now; });
      lost = lost->second.empty() ? lost_.erase(lost) : std::next(lost);
    }
  }
  for (auto& answered : late)
    answered(refused{"timeout", "no answer in time: the outcome is unknown", 0});
}

cluster::envelope_ptr gateway_hub::send(const entity_id& to, actors::request what,
                                        actors::reply_to from, millis within,
                                        std::shared_ptr<const std::string> request_id) {
  auto request = std::make_shared<cluster::envelope>();
  request->to = to;
  request->origin = {from.edge, from.session, from.request, std::move(request_id)};
  request->from = std::move(from);
  request->what = std::move(what);
  if (within != 0) request->deadline = node_->clock.now() + within;
  caf::anon_send(node_->region.get(), cluster::deliver{request});
  return request;
}
gateway_hub::pending& gateway_hub::expect(session& from, std::uint64_t id) {
  from.waiting.push_back(
      {id, cluster_clock::steady() + options_.request_deadline.count(), {}, 0, {}, {}});
  return from.waiting.back();
}
void gateway_hub::request(session_number number, session& from, std::uint64_t id,
                          const entity_id& to, actors::request what) {
  expect(from, id).sent = send(to, std::move(what), {options_.edge, number, id, std::nullopt},
                               options_.request_deadline.count());
}

// ---- one overload a message

void gateway_hub::ask_entity(session_number, session& from, std::uint64_t id, wire::hello&) {
  tell(from,
       error(id, "already_authenticated", "hello is the first message of a connection, once"));
}
void gateway_hub::ask_entity(session_number, session& from, std::uint64_t id, wire::ping&) {
  tell(from, answer_frame(id, actors::accepted{}));
}

void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::lobby_join& m) {
  const auto* rules = games::find(m.game);
  if (rules == nullptr)
    return tell(from, error(id, "unknown_game", "no game of this name is played here"));
  auto checked = rules->check_options(m.options);
  if (const auto* why = std::get_if<games::refusal>(&checked))
    return tell(from, error(id, why->code, why->sentence));
  if (from.tickets.size() >= tickets_per_session_max)
    return tell(from,
                error(id, "too_many_tickets", "this connection already waits in four lobbies"));
  auto& options = std::get<std::string>(checked);
  const entity_id lobby{entity_kind::lobby, actors::lobby_key(m.game, options, m.stake, m.money)};
  const auto ticket = uuid::v4();
  request(number, from, id, lobby,
          actors::lobby_join{ticket, from.player, from.login, from.display, m.game, options,
                             m.stake, m.money});
  from.waiting.back().ticket = ticket;
  from.tickets.push_back({ticket, lobby, from.waiting.back().sent});
}
void gateway_hub::ask_entity(session_number, session& from, std::uint64_t id, wire::lobby_leave&) {
  for (const auto& ticket : from.tickets)
    send(ticket.lobby, actors::lobby_leave{ticket.ticket, from.player, false}, {});
  from.tickets.clear();
  tell(from, answer_frame(id, actors::accepted{}));
}

void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_watch& m) {
  if (!plausible(m.table)) return tell(from, error(id, "unknown_table", "no table has this id"));
  const bool known =
      std::find(from.tables.begin(), from.tables.end(), m.table) != from.tables.end();
  if (!known && from.tables.size() >= limits::watched_tables_max)
    return tell(from, error(id, "too_many_tables", "a connection watches at most sixteen tables"));
  watch(number, from, id, m.table, m.seq);
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_unwatch& m) {
  forget_table(number, from, m.table);
  tell(from, answer_frame(id, actors::accepted{}));
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_ready& m) {
  ask_table(number, from, id, m.table, actors::table_ready{from.player, m.hash});
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_open& m) {
  ask_table(number, from, id, m.table, actors::table_open{from.player, std::move(m.seed), m.salt});
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_act& m) {
  ask_table(number, from, id, m.table,
            actors::table_act{from.player, m.command, std::move(m.action)});
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::table_concede& m) {
  ask_table(number, from, id, m.table, actors::table_concede{from.player, m.command});
}
void gateway_hub::ask_entity(session_number number, session& from, std::uint64_t id,
                             wire::wallet_get& m) {
  request(number, from, id, {entity_kind::wallet, from.player}, actors::wallet_get{m.money});
}
void gateway_hub::ask_table(session_number number, session& from, std::uint64_t id,
                            const uuid& table, actors::request what) {
  if (!plausible(table)) return tell(from, error(id, "unknown_table", "no table has this id"));
  request(number, from, id, {entity_kind::table, table}, std::move(what));
}
bool gateway_hub::plausible(const uuid& table) const {
  return (table.bytes[6] >> 4) == 7 && table.time() <= node_->clock.now() + 60'000;
}

void gateway_hub::time_out(session_number number, session& s, millis now) {
  std::vector<pending> late;
  std::erase_if(s.waiting, [&](const pending& p) {
    if (p.deadline > now) return false;
    late.push_back(p);
    return true;
  });
  for (const auto& p : late) {
    if ((p.id & own_request) != 0) {
      if (tables_.find(p.table, number) != nullptr)
        watch(number, s, own_request | ++last_own_, p.table, p.seq);
    } else {
      tell(s,
           error(p.id, "timeout",
                 "no answer in time: the outcome is unknown; repeat with the same command", 500));
    }
  }
}

}  // namespace baraza::http
