// What an edge does when its tables, wallets and lobbies are moved: it asks again, watches again,
// and enters its players' tickets again (rules E1, E2).
#include <caf/send.hpp>
#include <unordered_set>

#include "http/gateway_hub.hpp"

namespace baraza::http {

void gateway_hub::on_shards(const cluster::shards_changed& m) {
  const std::unordered_set<shard_id> shards{m.shards->begin(), m.shards->end()};
  const auto is_theirs = [&](const entity_id& who) { return shards.contains(node_->shard(who)); };
  const turn held{*this, turn::of::gateway};
  std::unordered_set<uuid> behind;
  tables_.each([&](const uuid& id, subscriptions::table& t) {
    if (!is_theirs({entity_kind::table, id})) return;
    const auto has_all = [&](const subscriptions::watcher& w) {
      return w.caught_up && w.seq >= t.seq;
    };
    if (t.has_ended && std::ranges::all_of(t.watchers, has_all)) return;
    if (!m.is_paused) behind.insert(id);
    if (t.is_paused == m.is_paused) return;
    t.is_paused = m.is_paused;
    const auto frame = pause_frame(id, m.is_paused);
    for (const auto& w : t.watchers)
      if (const auto known = sessions_.find(w.session); known != sessions_.end())
        tell(known->second, frame);
  });
  if (m.is_paused) return;
  send_again(is_theirs);
  if (!behind.empty()) catch_up([&](const uuid& id) { return behind.contains(id); });
}

/// With the same ids: what was done already is answered, not done twice.
void gateway_hub::send_again(const std::function<bool(const entity_id&)>& is_theirs) {
  const auto repeat = [&](const cluster::envelope_ptr& what) {
    if (what && is_theirs(what->to)) caf::anon_send(node_->region.get(), cluster::deliver{what});
  };
  for (auto& [number, s] : sessions_) {
    for (const auto& p : s.waiting)
      if (p.table.is_nil()) repeat(p.sent);  // a watch is asked anew by catch_up
    for (const auto& ticket : s.tickets) {
      const bool is_waiting = std::ranges::any_of(
          s.waiting, [&](const pending& p) { return p.ticket == ticket.ticket; });
      if (!is_waiting && ticket.join && is_theirs(ticket.lobby))
        send(ticket.lobby, ticket.join->what, {});
    }
  }
  for (const auto& [number, ask] : asks_) repeat(ask.sent);
}

void gateway_hub::on_heads(const cluster::wire::digest& m) {
  const turn held{*this, turn::of::gateway};
  for (const auto& entry : m.tables) {
    auto* t = tables_.find(entry.table);
    if (t == nullptr) continue;
    std::vector<std::pair<session_number, std::uint64_t>> behind;
    for (auto& w : t->watchers) {
      // A view that is on its way may be older than this word: then it is asked for again.
      if (!w.caught_up) t->seq = std::max(t->seq, entry.seq);
      if (!w.caught_up || w.seq >= entry.seq) continue;
      w.caught_up = false;
      behind.emplace_back(w.session, w.seq);
    }
    for (const auto& [number, seq] : behind) watch_again(number, entry.table, seq);
  }
}

}  // namespace baraza::http
