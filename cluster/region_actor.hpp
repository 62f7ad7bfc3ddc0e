// The supervisor of a node's entities, one class in four files: what is asked and when
// (region.cpp), what is loaded (region_loading.cpp), and what becomes of those that fail
// (region_supervision.cpp), and what operators say about them (region_operator.cpp).
#pragma once

#include <caf/event_based_actor.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/limits.hpp"
#include "cluster/load_queue.hpp"
#include "cluster/messages.hpp"
#include "cluster/restart_budget.hpp"
#include "cluster/services.hpp"
#include "cluster/timer_wheel.hpp"

namespace baraza::cluster {

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
  std::unique_ptr<past_lives> past;        // only once a command has failed it
  std::unique_ptr<std::vector<envelope_ptr>> waiting;
  std::uint8_t void_attempts = 0;  // those that met another journal than they had read
};

/// One actor a node, as start_region (region.hpp) describes it.
class region_actor final : public caf::event_based_actor {
 public:
  region_actor(caf::actor_config& config, std::shared_ptr<node_services> node)
      : caf::event_based_actor{config}, node_{std::move(node)} {}
  const char* name() const override { return "region"; }

 private:
  using phase = slot::phase;

  // ---- behaviour
  caf::behavior make_behavior() override;
  void on_exit() override;

  // ---- requests
  void route(envelope_ptr what);
  void deliver_to(slot& at, envelope_ptr what);
  void reply(const envelope& what, actors::answer said);
  void refuse(const envelope& what, actors::refused why) { reply(what, std::move(why)); }
  void answer(answer_in& m);
  void flush_waiting(slot& at);

  // ---- activation
  slot& start(const entity_id& who);
  void spawn_host(const entity_id& who, slot& at);

  // ---- loading (region_loading.cpp)
  void load_some();
  void tell_past(slot& at);
  void on_read(const read_ended& m);
  void on_stands(const entity_id& who);
  void forget(std::vector<entity_id> who, storage::strike up_to);

  // ---- sleep
  void let_sleep(const wish_to_sleep& m);
  void keep_awake(const stay_awake& m);

  // ---- supervision
  void on_down(caf::down_msg& m);
  void on_failed(const host_failed& m);
  void let_go(slot& at);
  void crashed(const entity_id& who, slot& at, const std::string& why, bool was_asked);
  void on_progress(const progressed& m);
  void restart(const entity_id& who);
  void on_barred(const barred& m);
  void tell_edges(actors::push what);
  void quarantine(const entity_id& who, slot& at, const std::string& why);
  void record_incident(const entity_id& who, std::string kind, std::string why);

  // ---- operators (region_operator.cpp)
  void record_order(const envelope_ptr& what);
  void obey(const order_recorded& m);

  // ---- voids
  void start_void(const fold_failed& m);
  void on_void_committed(const commit_done& m);
  void on_voided(const voided& m);

  // ---- time
  void tick();
  void on_wakes(const wakes_found& m);

  std::shared_ptr<node_services> node_;
  std::unordered_map<entity_id, slot> slots_;
  std::unordered_map<caf::actor_addr, entity_id> owners_;
  activation_number activations_ = 0;
  load_queue loads_;
  std::vector<entity_id> standing_;  // their strikes are to be forgotten
  std::size_t stashed_ = 0;
  timer_wheel wheel_{std::chrono::milliseconds{wheel_tick}.count()};
  std::vector<entity_id> due_;
  millis next_scan_ = 0;
};

}  // namespace baraza::cluster
