#include "cluster/region.hpp"

#include <caf/send.hpp>

#include "cluster/entity_host.hpp"
#include "cluster/region_actor.hpp"
#include "cluster/wake_scan.hpp"

namespace baraza::cluster {

using actors::refused;

caf::behavior region_actor::make_behavior() {
  set_exception_handler([this](std::exception_ptr&) -> caf::error {
    node_->stop_node("the region failed with an exception");
    return caf::make_error(caf::sec::runtime_error);
  });
  if (node_->grant.predecessor_died)
    loads_.be_careful(cluster_clock::steady() +
                      std::chrono::milliseconds{careful_after_death}.count());
  set_down_handler([this](caf::down_msg& m) { on_down(m); });
  prepare_spots();
  caf::message_handler entities{
      [this](deliver& m) { route(std::move(m.what)); },
      [this](answer_in& m) { answer(m); },
      [this](arm_timer m) { wheel_.arm(m.who, m.at); },
      [this](wheel_tick_now) { tick(); },
      [this](read_ended& m) { on_read(m); },
      [this](stands m) { on_stands(m.who); },
      [this](activate_now m) { restart(m.who); },
      [this](barred m) { on_barred(m); },
      [this](wish_to_sleep m) { let_sleep(m); },
      [this](stay_awake m) { keep_awake(m); },
      [this](progressed m) { on_progress(m); },
      [this](host_failed& m) { on_failed(m); },
      [this](fold_failed& m) { start_void(m); },
      [this](order_recorded& m) { obey(m); },
      [this](voided& m) { on_voided(m); },
      [this](void_later& m) { delayed_send(this, void_retry, std::move(m.what)); },
      [this](commit_done& m) { on_void_committed(m); },
      [this](wakes_found& m) { on_wakes(m); },
      [this](edge_attached& m) { node_->gateways[m.edge].set(std::move(m.gateway)); },
      [this](stop_region) { quit(); },
  };
  return entities.or_else(shard_behavior());
}

void region_actor::on_exit() {
  for (auto& [who, at] : slots_)
    if (at.host) caf::anon_send_exit(at.host, caf::exit_reason::user_shutdown);
  slots_.clear();
  owners_.clear();
}

// ---- requests

void region_actor::route(envelope_ptr what) {
  ++node_->counters.requests;
  if (view_ && !place(what)) return;
  if (std::holds_alternative<actors::operator_order>(what->what)) return record_order(what);
  const auto known = slots_.find(what->to);
  if (known == slots_.end()) {
    if (slots_.size() >= entities_max)
      return refuse(*what, {"overloaded", "this node has no room for more tables", 1000});
    auto& fresh = start(what->to);
    return deliver_to(fresh, std::move(what));
  }
  auto& at = known->second;
  switch (at.now) {
    case phase::awake:
      return deliver_to(at, std::move(what));
    case phase::quarantined:
      return refuse(
          *what, {"quarantined", "this table has failed too often; an operator has been told", 0});
    case phase::finished:
      return refuse(*what,
                    {"match_voided", "this match was voided and its stakes were returned", 0});
    default:
      break;
  }
  if (stashed_ >= region_stash_max || (at.waiting && at.waiting->size() >= entity_stash_max)) {
    ++node_->counters.overloaded;
    return refuse(
        *what,
        {"overloaded", "this table is being moved or restarted and too many requests wait", 200});
  }
  if (!at.waiting) at.waiting = std::make_unique<std::vector<envelope_ptr>>();
  at.waiting->push_back(std::move(what));
  node_->counters.stash = static_cast<std::int64_t>(++stashed_);
}

void region_actor::deliver_to(slot& at, envelope_ptr what) {
  caf::anon_send(at.host, deliver{std::move(what)});
}

void region_actor::reply(const envelope& what, actors::answer said) {
  const auto& to = what.from;
  if (const auto gateway = node_->gateway(to.edge))
    caf::anon_send(gateway, edge_answer{to.session, to.request, std::move(said)});
  else if (to.entity)
    caf::anon_send(caf::actor_cast<caf::actor>(this),
                   answer_in{*to.entity, to.request, std::move(said)});
}

/// An answer to an entity that is not awake is dropped: it asks again after its activation (rule
/// D6).
void region_actor::answer(answer_in& m) {
  if (view_ && !is_here(m.to)) return forward_answer(m);
  const auto known = slots_.find(m.to);
  if (known != slots_.end() && known->second.now == phase::awake)
    caf::anon_send(known->second.host, std::move(m));
}

void region_actor::flush_waiting(slot& at) {
  if (!at.waiting) return;
  auto waiting = std::move(at.waiting);
  stashed_ -= waiting->size();
  node_->counters.stash = static_cast<std::int64_t>(stashed_);
  for (auto& what : *waiting) {
    if (at.now == phase::awake)
      deliver_to(at, std::move(what));
    else
      route(std::move(what));
  }
}

// ---- activation

slot& region_actor::start(const entity_id& who) {
  auto& at = slots_[who];
  spawn_host(who, at);
  return at;
}

void region_actor::spawn_host(const entity_id& who, slot& at) {
  at.activation = ++activations_;
  at.now = phase::awake;
  at.host = spawn<entity_host, caf::hidden>(node_, who, at.activation, epoch_of(who));
  monitor(at.host);
  owners_.emplace(at.host.address(), who);
  if (at.past || at.budget) tell_past(at);
  loads_.add(who);
  load_some();
}

// ---- sleep

void region_actor::let_sleep(const wish_to_sleep& m) {
  const auto known = slots_.find(m.who);
  if (known == slots_.end() || known->second.now != phase::awake) return;
  known->second.now = phase::leaving;
  if (m.wake_at != 0) wheel_.arm(m.who, m.wake_at);
  caf::anon_send(known->second.host, sleep_now{});
}

void region_actor::keep_awake(const stay_awake& m) {
  const auto known = slots_.find(m.who);
  if (known == slots_.end() || known->second.now != phase::leaving) return;
  known->second.now = phase::awake;
  flush_waiting(known->second);
}

// ---- time

void region_actor::tick() {
  delayed_send(this, wheel_tick, wheel_tick_now{});
  const auto now = node_->clock.now();
  node_->reach.tick(cluster_clock::steady(), now);
  due_.clear();
  wheel_.advance(now, due_);
  for (const auto& who : due_) {
    const auto known = slots_.find(who);
    if (known == slots_.end()) {
      if (!is_here(who)) {  // opening: soon; gone: its new owner has read the wake row
        if (spots_[node_->shard(who)].now == spot::phase::hold)
          wheel_.arm(who, now + wake_hold.count());
        continue;
      }
      ++node_->counters.wakes;
      start(who);
    } else if (known->second.now == phase::awake) {
      caf::anon_send(known->second.host, wheel_due{});
    }
  }
  const auto steady = cluster_clock::steady();
  loads_.tick(steady);
  load_some();
  forget(std::exchange(standing_, {}), storage::strike::load);
  if (steady >= next_scan_) {
    next_scan_ = steady + std::chrono::milliseconds{wake_scan_every}.count();
    scan_wakes(node_, caf::actor_cast<caf::actor>(this));
  }
  if (view_ && steady >= next_look_) look_at_held(steady);
}

void region_actor::on_wakes(const wakes_found& m) {
  for (const auto& row : m.rows) {
    if (slots_.contains(row.entity)) continue;  // awake entities keep their own clocks
    if (spots_[node_->shard(row.entity)].now < spot::phase::hold) continue;  // another node's
    if (row.attempts >= attempts_max) {  // none of its code runs again (rule D3)
      start_void({row.entity, "it brought its node down again and again"});
      continue;
    }
    wheel_.arm(row.entity, row.at);
  }
}

caf::actor start_region(caf::actor_system& system, const std::shared_ptr<node_services>& node) {
  return system.spawn<region_actor>(node);
}

}  // namespace baraza::cluster
