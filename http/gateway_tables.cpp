// The tables that this edge's sessions watch: who has seen how much, and who gets which push.
#include <algorithm>
#include <cstring>
#include <tuple>

#include "http/gateway_hub.hpp"
#include "http/limits.hpp"

namespace baraza::http {

using cluster::cluster_clock;

namespace {

/// Which of the bodies is for this seat: its index, or their count for none.
std::size_t body_for(const actors::table_events& m, std::uint8_t seat) {
  const std::uint32_t bit = seat >= 31 ? 1u << 31 : 1u << seat;
  for (std::size_t i = 0; i < m.bodies.size(); ++i)
    if ((m.bodies[i].seats & bit) != 0) return i;
  return m.bodies.size();
}

}  // namespace

std::uint64_t low_half(const uuid& id) {
  std::uint64_t half;
  std::memcpy(&half, id.bytes.data() + 8, 8);
  return half;
}

void gateway_hub::renew_subscriptions(millis now) {
  std::vector<std::tuple<session_number, uuid, std::uint64_t>> behind;
  tables_.each([&](const uuid& id, subscriptions::table& t) {
    // A push that overtook the view a session was waiting for was not for it yet, and the view is
    // the older one. The table would not notice: it is told how far it has pushed.
    for (const auto& w : t.watchers)
      if (w.caught_up && w.seq < t.seq) behind.emplace_back(w.session, id, w.seq);
    if (t.renew_at > now || t.has_ended) return;
    t.renew_at = now + options_.renew_every.count();
    if (t.seq != 0)
      send({entity_kind::table, id}, actors::table_renew{t.seq},
           {options_.edge, renewal_session, low_half(id), std::nullopt});
  });
  for (const auto& [number, table, seq] : behind) watch_again(number, table, seq);
}

void gateway_hub::watch(session_number number, session& from, std::uint64_t id, const uuid& table,
                        std::uint64_t seq) {
  if (std::find(from.tables.begin(), from.tables.end(), table) == from.tables.end())
    from.tables.push_back(table);
  tables_.watch(table, number);
  auto& t = *tables_.find(table);
  if (t.renew_at == 0) t.renew_at = cluster_clock::steady() + options_.renew_every.count();
  auto& asked = expect(from, id);
  asked.table = table;
  asked.seq = seq;
  asked.sent = send({entity_kind::table, table}, actors::table_watch{from.player, seq, t.epoch},
                    {options_.edge, number, id, std::nullopt}, options_.request_deadline.count());
}
void gateway_hub::watch_again(session_number number, const uuid& table, std::uint64_t seq) {
  if (const auto known = sessions_.find(number); known != sessions_.end())
    watch(number, known->second, own_request | ++last_own_, table, seq);
}
void gateway_hub::leave(const uuid& table, session_number number) {
  if (tables_.unwatch(table, number))
    send({entity_kind::table, table}, actors::table_unwatch{}, {options_.edge, 0, 0, std::nullopt});
}
void gateway_hub::forget_table(session_number number, session& from, const uuid& table) {
  std::erase(from.tables, table);
  leave(table, number);
}

void gateway_hub::on_view(session_number number, session& to, const pending& asked,
                          const actors::table_view& view) {
  const auto re = (asked.id & own_request) == 0 ? asked.id : 0;
  auto* watcher = tables_.find(asked.table, number);
  if (watcher == nullptr) {
    if (re != 0) tell(to, view_frame(asked.table, asked.seq, re, view));
    return;
  }
  const bool news = !view.events_only || view.seq > asked.seq || re != 0;
  watcher->seat = view.seat == 0xFF ? watcher->seat : view.seat;
  watcher->seq = view.seq;
  watcher->caught_up = true;
  auto& t = *tables_.find(asked.table);
  t.epoch = std::max(t.epoch, view.epoch);
  t.seq = std::max(t.seq, view.seq);
  if (news) tell(to, view_frame(asked.table, asked.seq, re, view));
}

void gateway_hub::catch_up(const std::function<bool(const uuid&)>& is_behind) {
  std::vector<std::tuple<session_number, uuid, std::uint64_t>> behind;
  tables_.each([&](const uuid& id, subscriptions::table& t) {
    if (!is_behind(id)) return;
    for (auto& w : t.watchers) {
      w.caught_up = false;
      behind.emplace_back(w.session, id, w.seq);
    }
  });
  for (const auto& [number, table, seq] : behind) watch_again(number, table, seq);
}

void gateway_hub::on_events(const actors::table_events& m) {
  auto* t = tables_.find(m.table);
  std::vector<const actors::reply_to*> untold;
  for (const auto& cause : m.causes)
    if (cause.edge == options_.edge) untold.push_back(&cause);
  if (t != nullptr && m.epoch >= t->epoch) {
    t->epoch = m.epoch;
    t->seq = std::max(t->seq, m.seq);
    t->has_ended = t->has_ended || m.ended;
    std::vector<std::tuple<session_number, std::uint64_t>> gaps;
    std::vector<std::string> fields(m.bodies.size());
    std::vector<shared_frame> plain(m.bodies.size());
    for (auto& w : t->watchers) {
      if (!w.caught_up || m.seq <= w.seq) continue;
      if (m.prev > w.seq) {
        w.caught_up = false;
        gaps.emplace_back(w.session, w.seq);
        continue;
      }
      w.seq = m.seq;
      const auto body = body_for(m, w.seat);
      const auto known = sessions_.find(w.session);
      if (body == m.bodies.size() || known == sessions_.end()) continue;
      if (fields[body].empty())
        fields[body] = events_fields(m.table, m.epoch, m.prev, m.seq, m.bodies[body].body);
      if (const auto* cause = take_cause(untold, w.session)) {
        std::erase_if(known->second.waiting,
                      [&](const pending& p) { return p.id == cause->request; });
        tell(known->second, std::make_shared<const std::string>(wire::push_frame_re(
                                "table.events", cause->request, events_field_count, fields[body])));
        continue;
      }
      if (!plain[body])
        plain[body] = std::make_shared<const std::string>(
            wire::push_frame("table.events", events_field_count, fields[body]));
      tell(known->second, plain[body]);
    }
    for (const auto& [number, seq] : gaps) watch_again(number, m.table, seq);
  }
  for (const auto* cause : untold) answer_cause(*cause, m.seq);
}

const actors::reply_to* gateway_hub::take_cause(std::vector<const actors::reply_to*>& untold,
                                                session_number session) {
  const auto theirs = std::ranges::find(untold, session, &actors::reply_to::session);
  if (theirs == untold.end()) return nullptr;
  const auto* cause = *theirs;
  untold.erase(theirs);
  return cause;
}

void gateway_hub::answer_cause(const actors::reply_to& cause, std::uint64_t seq) {
  const auto known = sessions_.find(cause.session);
  if (known == sessions_.end()) return;
  if (std::erase_if(known->second.waiting,
                    [&](const pending& p) { return p.id == cause.request; }) != 0)
    tell(known->second, answer_frame(cause.request, actors::accepted{seq}));
}

void gateway_hub::on_player(const actors::player_push& m) {
  if (!m.table.is_nil()) leave_lobbies(m.player);
  const auto theirs = players_.find(m.player);
  if (theirs == players_.end()) return;
  const auto frame =
      std::make_shared<const std::string>(wire::push_frame(m.type, m.count, m.fields));
  for (const auto number : theirs->second) {
    auto& to = sessions_.at(number);
    tell(to, frame);
    if (m.table.is_nil()) continue;
    if (to.tables.size() >= limits::watched_tables_max) forget_table(number, to, to.tables.front());
    watch(number, to, own_request | ++last_own_, m.table, 0);
  }
}

void gateway_hub::leave_lobbies(const uuid& player) {
  const auto leave_all = [&](const auto& ticket) {
    send(ticket.lobby, actors::lobby_leave{ticket.ticket, player, false}, {});
  };
  if (const auto theirs = players_.find(player); theirs != players_.end())
    for (const auto number : theirs->second) {
      auto& tickets = sessions_.at(number).tickets;
      std::ranges::for_each(tickets, leave_all);
      tickets.clear();
    }
  if (const auto lost = lost_.find(player); lost != lost_.end()) {
    for (const auto& [ticket, until] : lost->second) leave_all(ticket);
    lost_.erase(lost);
  }
}

}  // namespace baraza::http
