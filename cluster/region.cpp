#include "cluster/region.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <unordered_map>

#include "cluster/entity_host.hpp"
#include "cluster/limits.hpp"
#include "cluster/restart_budget.hpp"
#include "cluster/timer_wheel.hpp"
#include "cluster/void_plan.hpp"
#include "cluster/wake_scan.hpp"

namespace baraza::cluster {
namespace {

using actors::refused;

/// ```
///   (absent) ──request, wake-up──▶ loading ──loaded──▶ awake ──wish_to_sleep──▶ leaving ──down──▶
///   (absent)
///                                    ▲  │                │ crash                   └─stay_awake──▶
///                                    awake │  └─crash──▶ restarting ◀─┘ └─── barred, delay over ─┘
///                                    └─budget spent──▶ quarantined
///   loading ──cannot fold──▶ voiding ──▶ finished (answers match_voided) or quarantined
/// ```
struct slot {
  enum class phase : std::uint8_t {
    awake,
    leaving,
    restarting,
    voiding,
    quarantined,
    finished
  } now = phase::awake;
  caf::actor host;
  activation_number activation = 0;
  std::unique_ptr<restart_budget> budget;  // only once it has crashed
  std::unique_ptr<std::vector<envelope_ptr>> waiting;
  std::uint8_t void_attempts = 0;  // those that met another journal than they had read
};

class region_actor final : public caf::event_based_actor {
 public:
  region_actor(caf::actor_config& config, std::shared_ptr<node_services> node)
      : caf::event_based_actor{config}, node_{std::move(node)} {}
  const char* name() const override { return "region"; }

 private:
  using phase = slot::phase;

  caf::behavior make_behavior() override {
    set_exception_handler([this](std::exception_ptr&) -> caf::error {
      node_->stop_node("the region failed with an exception");
      return caf::make_error(caf::sec::runtime_error);
    });
    set_down_handler([this](caf::down_msg& m) { on_down(m); });
    return {
        [this](deliver& m) { route(std::move(m.what)); },
        [this](answer_in& m) { answer(m); },
        [this](arm_timer m) { wheel_.arm(m.who, m.at); },
        [this](wheel_tick_now) { tick(); },
        [this](load_failed& m) { retry_load(m); },
        [this](activate_now m) { restart(m.who); },
        [this](barred m) { on_barred(m); },
        [this](wish_to_sleep m) { let_sleep(m); },
        [this](stay_awake m) { keep_awake(m); },
        [this](host_failed& m) { on_failed(m); },
        [this](fold_failed& m) { start_void(m); },
        [this](voided& m) { on_voided(m); },
        [this](void_later& m) { delayed_send(this, void_retry, std::move(m.what)); },
        [this](commit_done& m) { on_void_committed(m); },
        [this](wakes_found& m) { on_wakes(m); },
        [this](edge_attached& m) { node_->gateways[m.edge].set(std::move(m.gateway)); },
        [this](stop_region) { quit(); },
    };
  }

  void on_exit() override {
    for (auto& [who, at] : slots_)
      if (at.host) caf::anon_send_exit(at.host, caf::exit_reason::user_shutdown);
    slots_.clear();
    owners_.clear();
  }

  // ---- requests

  void route(envelope_ptr what) {
    ++node_->counters.requests;
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
        return refuse(*what, {"quarantined",
                              "this table has failed too often; an operator has been told", 0});
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

  void deliver_to(slot& at, envelope_ptr what) {
    caf::anon_send(at.host, deliver{std::move(what)});
  }

  void refuse(const envelope& what, refused why) {
    const auto& to = what.from;
    if (const auto gateway = node_->gateway(to.edge))
      caf::anon_send(gateway, edge_answer{to.session, to.request, std::move(why)});
    else if (to.entity)
      caf::anon_send(caf::actor_cast<caf::actor>(this),
                     answer_in{*to.entity, to.request, std::move(why)});
  }

  /// An answer to an entity that is not awake is dropped: it asks again after its activation (rule
  /// D6).
  void answer(answer_in& m) {
    const auto known = slots_.find(m.to);
    if (known != slots_.end() && known->second.now == phase::awake)
      caf::anon_send(known->second.host, std::move(m));
  }

  void flush_waiting(slot& at) {
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

  slot& start(const entity_id& who) {
    auto& at = slots_[who];
    spawn_host(who, at);
    return at;
  }

  void spawn_host(const entity_id& who, slot& at) {
    at.activation = ++activations_;
    at.now = phase::awake;
    at.host = spawn<entity_host, caf::hidden>(node_, who, at.activation);
    monitor(at.host);
    owners_.emplace(at.host.address(), who);
    to_load_.push_back(who);
    load_some();
  }

  /// Reads several entities in one round trip; while the readers are busy the next batch grows.
  void load_some() {
    if (loads_in_flight_ >= 2 || to_load_.empty()) return;
    const auto count = std::min(to_load_.size(), load_batch_max);
    std::vector<entity_id> who{to_load_.end() - static_cast<std::ptrdiff_t>(count), to_load_.end()};
    to_load_.resize(to_load_.size() - count);
    std::vector<caf::actor> hosts;
    for (const auto& id : who) hosts.push_back(slots_[id].host);
    auto node = node_;
    auto self = caf::actor_cast<caf::actor>(this);
    ++loads_in_flight_;
    const bool queued =
        node_->reads.submit([who, hosts = std::move(hosts), node, self](storage::reader& from) {
          auto rows = from.activate(who);
          if (!rows || rows->size() != who.size())
            return caf::anon_send(self, load_failed{who, true});
          const auto at = node->clock.now();
          for (std::size_t i = 0; i < who.size(); ++i)
            caf::anon_send(hosts[i], loaded{std::move((*rows)[i]), at});
          caf::anon_send(self, load_failed{{}, true});
        });
    if (!queued) caf::anon_send(self, load_failed{who, true});
  }

  void retry_load(const load_failed& m) {
    if (m.reader_free) --loads_in_flight_;
    for (const auto& who : m.who) {
      const auto known = slots_.find(who);
      if (known == slots_.end() || known->second.now != phase::awake) continue;
      retry_.push_back(who);  // a store that is away spends nobody's budget (rule B5)
    }
    if (!retry_.empty() && retry_at_ == 0) retry_at_ = cluster_clock::steady() + load_retry.count();
    load_some();
  }

  // ---- sleep

  void let_sleep(const wish_to_sleep& m) {
    const auto known = slots_.find(m.who);
    if (known == slots_.end() || known->second.now != phase::awake) return;
    known->second.now = phase::leaving;
    if (m.wake_at != 0) wheel_.arm(m.who, m.wake_at);
    caf::anon_send(known->second.host, sleep_now{});
  }

  void keep_awake(const stay_awake& m) {
    const auto known = slots_.find(m.who);
    if (known == slots_.end() || known->second.now != phase::leaving) return;
    known->second.now = phase::awake;
    flush_waiting(known->second);
  }

  // ---- supervision

  void on_down(caf::down_msg& m) {
    const auto owner = owners_.find(m.source);
    if (owner == owners_.end()) return;
    const auto who = owner->second;
    owners_.erase(owner);
    auto& at = slots_[who];
    at.host = nullptr;
    if (at.now == phase::leaving && !m.reason) {
      auto waiting = std::move(at.waiting);
      slots_.erase(who);
      if (waiting) {
        stashed_ -= waiting->size();
        for (auto& what : *waiting) route(std::move(what));
      }
      return;
    }
    crashed(who, at, caf::to_string(m.reason));
  }

  void on_failed(const host_failed& m) {
    const auto known = slots_.find(m.who);
    if (known == slots_.end()) return;
    let_go(known->second);
    crashed(m.who, known->second, m.why);
  }

  /// Nothing is sent to this host after sleep_now, so what it still hands back is all there is.
  void let_go(slot& at) {
    if (!at.host) return;
    owners_.erase(at.host.address());
    caf::anon_send(at.host, sleep_now{});
    at.host = nullptr;
  }

  void crashed(const entity_id& who, slot& at, const std::string& why) {
    ++node_->counters.crashes;
    if (!at.budget) at.budget = std::make_unique<restart_budget>();
    const auto delay = at.budget->crashed(std::chrono::steady_clock::now());
    if (!delay) return quarantine(who, at, why);
    at.now = phase::restarting;
    node_->log(severity::warning, "entity.restarting", who.to_string(), why);
    // The gate first drops what the old life still has queued and waits for its flush in flight:
    // only then is the journal read.
    if (delay->count() == 0)
      caf::anon_send(node_->gate.get(), bar{who, activations_ + 1});
    else
      delayed_send(this, *delay, activate_now{who});
  }

  void restart(const entity_id& who) {
    const auto known = slots_.find(who);
    if (known != slots_.end() && known->second.now == phase::restarting)
      caf::anon_send(node_->gate.get(), bar{who, activations_ + 1});
  }

  void on_barred(const barred& m) {
    const auto known = slots_.find(m.who);
    if (known == slots_.end() || known->second.now != phase::restarting) return;
    spawn_host(m.who, known->second);
    flush_waiting(known->second);
    if (m.who.kind == entity_kind::table) tell_edges(actors::table_restarted{m.who.key});
  }

  void tell_edges(actors::push what) {
    const auto shared = std::make_shared<const actors::push>(std::move(what));
    for (const auto& gateway : node_->gateways) caf::anon_send(gateway.get(), edge_push{shared});
  }

  void quarantine(const entity_id& who, slot& at, const std::string& why) {
    at.now = phase::quarantined;
    ++node_->counters.quarantines;
    node_->log(severity::error, "entity.quarantined", who.to_string(), why);
    record_incident(who, "quarantine", why);
    flush_waiting(at);  // answers them
  }

  void record_incident(const entity_id& who, std::string kind, std::string why) {
    auto node = node_;
    node_->reads.submit([node, who, kind, why](storage::reader&) {
      storage::incident what{uuid::v7(node->clock.now()), node->clock.now(), who, kind, why};
      if (auto kept = node->store.record_incident(what); !kept)
        node->log(severity::error, "incident.not_recorded", who.to_string(), kept.why().message);
    });
  }

  // ---- voids

  void start_void(const fold_failed& m) {
    auto& at = slots_[m.who];
    let_go(at);
    at.now = phase::voiding;
    auto node = node_;
    auto self = caf::actor_cast<caf::actor>(this);
    auto ticket = std::make_shared<void_ticket>();
    ticket->activation = ++activations_;
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

  void on_void_committed(const commit_done& m) {
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

  void on_voided(const voided& m) {
    const auto known = slots_.find(m.who);
    if (known == slots_.end() || known->second.now != phase::voiding) return;
    if (!m.done)
      return quarantine(m.who, known->second, "cannot be folded and not voided: " + m.why);
    ++node_->counters.voids;
    node_->log(severity::error, "match.voided", m.who.to_string(), m.why);
    record_incident(m.who, "void", m.why);
    known->second.now = phase::finished;
    auto waiting = std::move(known->second.waiting);
    if (m.readable) slots_.erase(known);  // the snapshot it left lets anyone see how it ended
    if (waiting) {
      stashed_ -= waiting->size();
      for (auto& what : *waiting) route(std::move(what));
    }
    tell_edges(actors::table_restarted{m.who.key});  // they ask, and are told that it was voided
  }

  // ---- time

  void tick() {
    delayed_send(this, wheel_tick, wheel_tick_now{});
    const auto now = node_->clock.now();
    node_->reach.tick(cluster_clock::steady(), now);
    due_.clear();
    wheel_.advance(now, due_);
    for (const auto& who : due_) {
      const auto known = slots_.find(who);
      if (known == slots_.end()) {
        ++node_->counters.wakes;
        start(who);
      } else if (known->second.now == phase::awake) {
        caf::anon_send(known->second.host, wheel_due{});
      }
    }
    const auto steady = cluster_clock::steady();
    if (retry_at_ != 0 && steady >= retry_at_) {
      retry_at_ = 0;
      for (const auto& who : retry_)
        if (const auto known = slots_.find(who); known != slots_.end() && known->second.host)
          to_load_.push_back(who);
      retry_.clear();
      load_some();
    }
    if (steady >= next_scan_) {
      next_scan_ = steady + std::chrono::milliseconds{wake_scan_every}.count();
      scan_wakes(node_, caf::actor_cast<caf::actor>(this));
    }
  }

  void on_wakes(const wakes_found& m) {
    for (const auto& row : m.rows) {
      if (slots_.contains(row.entity)) continue;  // awake entities keep their own clocks
      if (row.attempts >= wake_attempts_max) {    // none of its code runs again (rule D3)
        start_void({row.entity, "it brought its node down again and again"});
        continue;
      }
      wheel_.arm(row.entity, row.at);
    }
  }

  std::shared_ptr<node_services> node_;
  std::unordered_map<entity_id, slot> slots_;
  std::unordered_map<caf::actor_addr, entity_id> owners_;
  activation_number activations_ = 0;
  std::vector<entity_id> to_load_, retry_;
  std::size_t loads_in_flight_ = 0;
  millis retry_at_ = 0;
  std::size_t stashed_ = 0;
  timer_wheel wheel_{std::chrono::milliseconds{wheel_tick}.count()};
  std::vector<entity_id> due_;
  millis next_scan_ = 0;
};

}  // namespace

caf::actor start_region(caf::actor_system& system, const std::shared_ptr<node_services>& node) {
  return system.spawn<region_actor>(node);
}

}  // namespace baraza::cluster
