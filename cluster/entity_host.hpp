// The actor around one entity: loads it, hands it one call at a time, carries its commits,
// questions and timers.
#pragma once

#include <exception>

#include <caf/event_based_actor.hpp>
#include <memory>
#include <variant>
#include <vector>

#include "actors/entity.hpp"
#include "cluster/messages.hpp"
#include "cluster/services.hpp"

namespace baraza::cluster {

/// ```
///   loading ──loaded──▶ ready ◀──commit_done── committing        ready ──idle──▶ sleeping ──▶
///   (ended, slot removed)
///      │ cannot fold        └──────commit───────▶ ▲                 any ──exception / stale──▶
///      (ended, the region restarts it)
/// ```
/// While loading or committing everything else waits in a bounded stash, but for a move that goes
/// with a commit which has not left yet. A failed host hands every
/// request back to the region until the region lets it go: a crash loses no request but the one
/// that caused it.
class entity_host final : public caf::event_based_actor {
 public:
  entity_host(caf::actor_config& config, std::shared_ptr<node_services> node, entity_id who,
              activation_number activation, std::uint64_t epoch);
  ~entity_host() override;
  const char* name() const override { return "entity"; }

 private:
  class host_context;
  friend class host_context;
  struct question {
    std::uint64_t correlation = 0;
    envelope_ptr what;
    millis retry_at = 0;
  };
  using stashed = std::variant<envelope_ptr, answer_in, rows_read, wheel_due>;

  caf::behavior make_behavior() override;
  bool busy() const { return !ready_ || ticket_in_flight_; }
  void stash(stashed what);
  void drain();
  void take(envelope_ptr what);
  /// While a commit waits for the gate: whether the request goes with it.
  bool join(const envelope& what);
  void answer_failed(const actors::reply_to& to);
  void take(answer_in& what);
  void take(rows_read& what);
  void take(wheel_due);
  void load(loaded& what);
  bool rebuild(const storage::activation& from);
  void read_whole_journal();
  void say_it_stands();
  void forgive();
  void commit(actors::change what);
  void on_commit_done(const ticket_ptr& ticket);
  void ask_due_questions(millis now);
  void rearm();
  void fall_asleep();
  void leave(bool at_once);
  template <class Step>
  void guard(Step&& step);
  void crash(const std::string& why, std::optional<actors::poison> poison = {});
  void end_life();
  millis now();

  std::shared_ptr<node_services> node_;
  const entity_id who_;
  const activation_number activation_;
  const std::uint64_t epoch_;  // of its shard, for this life
  std::unique_ptr<host_context> context_;
  std::unique_ptr<actors::entity> entity_;
  bool failed_ = false, ready_ = false, ticket_in_flight_ = false, idle_allowed_ = true,
       draining_ = false, wants_sleep_ = false, departing_ = false,
       is_progress_ = false,          // what is being committed
      was_asked_ = false,             // it failed at a request
      suspected_ = false,             // a strike stands against it until it stands itself
      load_counted_ = false,          // a strike was counted for its load
      had_strikes_ = false;           // forgotten once it has got on for a while
  std::unique_ptr<past_lives> past_;  // those that failed since it last got on
  std::exception_ptr doom_;           // ends this life when the commit in flight has ended
  std::uint64_t head_ = 0;
  cause origin_;  // of the call being carried out
  millis last_now_ = 0, last_active_ = 0, loaded_at_ = 0;
  millis timer_at_ = 0;                  // when the entity wants to be called; 0: not
  millis armed_at_ = 0;                  // earliest entry of ours in the region's wheel; 0: none
  ticket_ptr ticket_;                    // used again for each commit: one is in flight at most
  std::vector<std::uint32_t> watchers_;  // edges
  std::vector<question> questions_;
  std::vector<stashed> stash_;
};

}  // namespace baraza::cluster
