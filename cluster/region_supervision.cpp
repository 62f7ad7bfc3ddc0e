#include <caf/send.hpp>

#include "actors/limits.hpp"
#include "cluster/region_actor.hpp"
#include "cluster/void_plan.hpp"

namespace baraza::cluster {

// ---- supervision

void region_actor::on_down(caf::down_msg& m) {
  const auto owner = owners_.find(m.source);
  if (owner == owners_.end()) return;
  const auto who = owner->second;
  owners_.erase(owner);
  loads_.settle(who);
  auto& at = slots_[who];
  at.host = nullptr;
  if (at.now == phase::departing) return departed(who);
  if (at.now == phase::leaving && !m.reason) {
    auto waiting = std::move(at.waiting);
    slots_.erase(who);
    if (waiting) {
      stashed_ -= waiting->size();
      for (auto& what : *waiting) route(std::move(what));
    }
    return;
  }
  crashed(who, at, caf::to_string(m.reason), true);
}

void region_actor::on_failed(const host_failed& m) {
  loads_.settle(m.who);
  if (m.is_suspected) on_stands(m.who);  // it has failed, but the process lives
  const auto known = slots_.find(m.who);
  if (known == slots_.end()) return;
  if (known->second.now == phase::departing) {
    let_go(known->second);
    return departed(m.who);
  }
  auto& at = known->second;
  let_go(at);
  if (!m.poison) return crashed(m.who, at, m.why, m.was_asked);
  // The command is at fault: the match pays nothing for it, and it finds nobody to fail with again.
  ++node_->counters.crashes;
  if (!at.past) at.past = std::make_unique<past_lives>();
  auto& poisons = at.past->poisons;
  if (poisons.size() >= actors::poisons_max) poisons.erase(poisons.begin());
  poisons.push_back(*m.poison);
  at.past->just_now = true;
  at.now = phase::restarting;
  restart(m.who);
}

/// Nothing is sent to this host after sleep_now, so what it still hands back is all there is.
void region_actor::let_go(slot& at) {
  if (!at.host) return;
  owners_.erase(at.host.address());
  caf::anon_send(at.host, sleep_now{});
  at.host = nullptr;
}

/// Wallets and lobbies live for ever; the others end, or never get on.
void region_actor::crashed(const entity_id& who, slot& at, const std::string& why, bool was_asked) {
  ++node_->counters.crashes;
  using forgiven = restart_budget::forgiven;
  if (!at.budget)
    at.budget = std::make_unique<restart_budget>(
        who.kind == entity_kind::wallet || who.kind == entity_kind::lobby ? forgiven::by_time_too
                                                                          : forgiven::by_progress,
        node_->restart_backoff);
  const auto delay = at.budget->crashed(std::chrono::steady_clock::now());
  if (!delay) {
    // Not what players ask for at will: who finds a crash must not get his stake back by it (D3).
    if (was_asked) return quarantine(who, at, why);
    return start_void({who, "it fails again and again: " + why});
  }
  at.now = phase::restarting;
  node_->log(severity::warning, "entity.restarting", who.to_string(), why);
  // The gate first drops what the old life still has queued and waits for its flush in flight:
  // only then is the journal read.
  if (delay->count() == 0)
    restart(who);
  else
    delayed_send(this, *delay, activate_now{who});
}

void region_actor::on_progress(const progressed& m) {
  if (m.had_strikes) forget({m.who}, storage::strike::hold);
  const auto known = slots_.find(m.who);
  if (known != slots_.end()) known->second.budget.reset();
}

void region_actor::restart(const entity_id& who) {
  const auto known = slots_.find(who);
  if (known != slots_.end() && known->second.now == phase::restarting)
    caf::anon_send(node_->gate.get(), bar{who, activations_ + 1});
}

void region_actor::on_barred(const barred& m) {
  const auto known = slots_.find(m.who);
  if (known == slots_.end() || known->second.now != phase::restarting) return;
  spawn_host(m.who, known->second);
  flush_waiting(known->second);
  if (m.who.kind == entity_kind::table) tell_edges(actors::table_restarted{m.who.key});
}

void region_actor::tell_edges(actors::push what) {
  const auto shared = std::make_shared<const actors::push>(std::move(what));
  for (const auto& gateway : node_->gateways) caf::anon_send(gateway.get(), edge_push{shared});
}

void region_actor::quarantine(const entity_id& who, slot& at, const std::string& why) {
  at.now = phase::quarantined;
  ++node_->counters.quarantines;
  node_->log(severity::error, "entity.quarantined", who.to_string(), why);
  record_incident(who, "quarantine", why);
  flush_waiting(at);  // answers them
}

void region_actor::record_incident(const entity_id& who, std::string kind, std::string why) {
  auto node = node_;
  node_->reads.submit([node, who, kind, why](storage::reader&) {
    storage::incident what{uuid::v7(node->clock.now()), node->clock.now(), who, kind, why};
    if (auto kept = node->store.record_incident(what); !kept)
      node->log(severity::error, "incident.not_recorded", who.to_string(), kept.why().message);
  });
}

// ---- voids

void region_actor::start_void(const fold_failed& m) {
  loads_.settle(m.who);
  auto& at = slots_[m.who];
  let_go(at);
  at.now = phase::voiding;
  auto node = node_;
  auto self = caf::actor_cast<caf::actor>(this);
  auto ticket = std::make_shared<void_ticket>();
  ticket->activation = ++activations_;
  ticket->work.epoch = epoch_of(m.who);
  const bool queued =
      node_->reads.submit([node, self, ticket, who = m.who, why = m.why](storage::reader& from) {
        switch (prepare_void(*node, from, *ticket, who, why)) {
          case void_outlook::planned:
            ticket->host = self;
            return caf::anon_send(node->gate.get(), commit_asked{ticket});
          case void_outlook::store_away:
            return caf::anon_send(self, void_later{{who, why}});
          case void_outlook::impossible:
            return caf::anon_send(self, voided{who, false, false, why});
        }
      });
  if (!queued) delayed_send(this, void_retry, m);
}

void region_actor::on_void_committed(const commit_done& m) {
  const auto code = m.ticket->result.code;
  const auto& who = m.ticket->work.entity;
  const auto known = slots_.find(who);
  // Not a word about the match: the store was away, or its old life's last commit came between.
  const bool again = code == storage::errc::unavailable ||
                     (code == storage::errc::seq_conflict && known != slots_.end() &&
                      ++known->second.void_attempts <= void_conflicts_max);
  if (again)
    return delayed_send(this, void_retry,
                        fold_failed{who, static_cast<const void_ticket&>(*m.ticket).why});
  // A region's only commits are voids.
  for (auto& hint : wallet_hints(static_cast<const void_ticket&>(*m.ticket)))
    route(std::move(hint));
  on_voided({who, code == storage::errc::none, m.ticket->work.snapshot.has_value(),
             std::string{storage::to_string(code)} + ' ' + m.ticket->result.detail});
}

void region_actor::on_voided(const voided& m) {
  const auto known = slots_.find(m.who);
  if (known == slots_.end() || known->second.now != phase::voiding) return;
  if (!m.done) return quarantine(m.who, known->second, "cannot be folded and not voided: " + m.why);
  ++node_->counters.voids;
  node_->log(severity::error, "match.voided", m.who.to_string(), m.why);
  record_incident(m.who, "void", m.why);
  forget({m.who}, storage::strike::hold);
  known->second.now = phase::finished;
  auto waiting = std::move(known->second.waiting);
  if (m.readable) slots_.erase(known);  // the snapshot it left lets anyone see how it ended
  if (waiting) {
    stashed_ -= waiting->size();
    for (auto& what : *waiting) route(std::move(what));
  }
  tell_edges(actors::table_restarted{m.who.key});  // they ask, and are told that it was voided
}

}  // namespace baraza::cluster
