// A world of entities on virtual time: one thread, seeded faults, a store in memory. Entities can
// be killed at any step and come back from their journals; messages between them get lost, doubled,
// late and out of order; commits are slow.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "actors/lobby.hpp"
#include "actors/table.hpp"
#include "actors/wallet.hpp"
#include "model_store.hpp"

namespace baraza::test {

/// From SIM_SEED in the environment, else random; a failing test prints it.
std::uint64_t sim_seed();

struct faults {
  double lose = 0, repeat = 0;  // messages between entities, and hints
  millis delay_max = 3;         // of messages and of each half of a commit
  double crash = 0;             // of an entity, after each step of it
};

class world {
 public:
  explicit world(std::uint64_t seed = 1);
  ~world();
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // ---- driving
  /// As the edge would, for session `session`; answers are kept under the number returned.
  std::uint64_t send(const entity_id& to, actors::request what, std::uint64_t session = 1);
  /// As another entity would, without retries.
  std::uint64_t send_inside(const entity_id& to, actors::request what);
  void run_for(millis time);
  /// Runs until nothing is left to do within `time`, or `done` holds. @returns whether it held
  bool run_until(const std::function<bool()>& done, millis time = 600'000);
  [[nodiscard]] millis now() const { return now_; }
  /// Runs `what` at now + `in`; dropped with the world.
  void later(millis in, std::function<void()> what);

  // ---- breaking
  void crash(const entity_id& id);  // its supervisor activates it again
  void crash_node();                // all die; they come back by their wake rows and messages
  void sleep(millis time);          // the cluster is off: nothing happens, time passes
  [[nodiscard]] bool is_live(const entity_id& id) const { return live_.contains(id); }

  // ---- looking
  [[nodiscard]] const std::vector<actors::answer>& answers(std::uint64_t number) {
    return answers_[number];
  }
  /// The only answer so far; throws if there is none or more than one.
  const actors::answer& answer_of(std::uint64_t number);
  /// Sends, runs until answered, and returns the answer (pushes that name it as their cause count
  /// as accepted{seq}).
  actors::answer ask(const entity_id& to, actors::request what);
  [[nodiscard]] std::int64_t money(const uuid& player) const;

  model_store store;
  faults fault;
  actors::table_options table_options;
  actors::wallet_options wallet_options;
  actors::lobby_options lobby_options;
  std::vector<actors::push> pushes;
  std::vector<std::pair<std::uint32_t, actors::push>> pushes_to;
  std::mt19937_64 random;
  std::size_t crashes = 0, steps = 0, voids = 0, commits = 0, joins = 0;
  std::string last_crash;
  /// Called before a commit is applied; may refuse it with a code, or crash things.
  std::function<storage::errc(const entity_id&, const actors::change&)> before_commit;
  /// How much longer the store holds this commit, as when it is away; none if not set.
  std::function<millis(const entity_id&)> hold_commit;
  millis reachable_since = 0;  // what entities are told (rule C)
  /// Called after each step of an entity (a call into it); may crash things.
  std::function<void(const entity_id&)> after_step;
  std::function<bool(const entity_id&, const actors::request&)>
      lose_message;                                        // true: this one is lost
  std::function<bool(const actors::answer&)> lose_answer;  // of one entity to another
  /// Kills the entity at its n-th step from now (0: never).
  std::size_t crash_at_step = 0;

 private:
  friend class world_context;
  struct live_entity {
    std::unique_ptr<actors::entity> what;
    std::unique_ptr<actors::context> context;
    std::uint64_t activation = 0, head = 0;
    std::deque<std::pair<actors::request, actors::reply_to>> held;
    bool committing = false, idle = false;
    std::function<void()> pending_commit;      // not yet applied
    std::shared_ptr<actors::change> changing;  // what it holds, while more may join
    millis timer_at = 0;
  };
  struct open_ask {
    entity_id from, to;
    std::uint64_t activation = 0, correlation = 0;
    actors::request what;
    millis deadline = 0;
  };

  live_entity* activate(const entity_id& id);
  void bury(const entity_id& id, const actors::void_plan& plan);
  void deliver(const entity_id& to, const actors::request& what, const actors::reply_to& from);
  void pump(const entity_id& id);
  bool join(const entity_id& id);
  template <class F>
  void step(const entity_id& id, std::uint64_t activation, F&& call);
  void route(const entity_id& to, const actors::request& what, const actors::reply_to& from,
             bool lossy);
  void try_ask(std::uint64_t number);
  void resolve(std::uint64_t number, const actors::answer& what);
  void commit(const entity_id& id, std::uint64_t activation, actors::change what);
  void schedule(millis at, std::function<void()> what);
  void scan_wakes();
  [[nodiscard]] millis delay();
  [[nodiscard]] bool chance(double p);

  millis now_ = 1'700'000'000'000;
  std::uint64_t order_ = 0, next_activation_ = 1, next_ask_ = 1, next_number_ = 1;
  std::map<std::pair<millis, std::uint64_t>, std::function<void()>> agenda_;
  std::map<entity_id, live_entity> live_;
  std::map<entity_id, int> failed_activations_;
  std::map<entity_id, std::vector<actors::poison>> poisons_;
  std::set<entity_id> just_poisoned_;
  std::map<std::uint64_t, open_ask> asks_;
  std::map<std::uint64_t, std::vector<actors::answer>> answers_;
};

}  // namespace baraza::test
