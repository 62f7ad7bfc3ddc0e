// The supervisor of a node's entities, one class in five files: what is asked and when
// (region.cpp), what is loaded (region_loading.cpp), which shards are here (region_shards.cpp),
// what becomes of those that fail (region_supervision.cpp), and what operators say about them
// (region_operator.cpp).
#pragma once

#include <caf/event_based_actor.hpp>
#include <caf/message_handler.hpp>
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
    departing,  // its shard goes to another node
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
  caf::message_handler shard_behavior();
  void on_exit() override;

  // ---- requests
  void route(envelope_ptr what);
  void deliver_to(slot& at, envelope_ptr what);
  void reply(const envelope& what, actors::answer said);
  void refuse(const envelope& what, actors::refused why) { reply(what, std::move(why)); }
  void answer(answer_in& m);
  void flush_waiting(slot& at);

  // ---- shards
  /// ```
  ///   elsewhere ──open_gate──▶ hold ──serve──▶ deliver ──stop_entities──▶ moving ──owner known──▶
  ///   (elsewhere)
  /// ```
  struct spot {
    enum class phase : std::uint8_t { elsewhere, hold, deliver, moving } now = phase::elsewhere;
    std::uint64_t epoch = 0;
    millis blocked_since = 0;  // steady; no owner can be reached; 0: one can
    bool pause_told = false;
  };
  struct held {
    envelope_ptr what;
    millis since = 0;  // steady
  };
  void prepare_spots();
  [[nodiscard]] std::uint64_t epoch_of(const entity_id& who) const {
    return spots_[node_->shard(who)].epoch;
  }
  [[nodiscard]] bool is_here(const entity_id& who) const {
    return spots_[node_->shard(who)].now == spot::phase::deliver;
  }
  /// Ours to deliver? Else it has been sent on, held or refused.
  bool place(envelope_ptr& what);
  void forward(shard_id shard, envelope_ptr what);
  void forward_answer(answer_in& m);
  void send_back(shard_id shard, envelope_ptr what);
  void hold(shard_id shard, envelope_ptr what);
  void flush_held(shard_id shard);
  void take_remote(remote_in& m);
  void carry_out(shard_steps& m);
  void open(shard_id shard, std::uint64_t epoch);
  void load_opened();
  void serve(shard_id shard);
  void stop_shards(const std::vector<shard_id>& which, bool at_once);
  void departed(const entity_id& who);
  void hear_places(const places_told& m);
  void hear_peer(const peer_reached& m);
  void look_at_held(millis steady);
  void tell_gateway(std::vector<shard_id> shards, bool is_paused);

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

  std::vector<spot> spots_;
  std::unique_ptr<shard_view> view_;                     // null: this node is alone
  std::unordered_map<shard_id, std::size_t> departing_;  // hosts of a moving shard still at work
  std::unordered_map<shard_id, std::vector<held>> held_;
  std::size_t held_count_ = 0;
  std::vector<std::pair<shard_id, std::uint64_t>> opened_;  // their wake rows are not read yet
  bool loading_wakes_ = false;
  millis next_look_ = 0;
};

}  // namespace baraza::cluster
