// The entities of one simulated node: activation from the store, one commit in flight each, asks
// repeated until answered, timers. What the region and the entity actors of a real node do.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/entity.hpp"
#include "tests/sim/store.hpp"

namespace baraza::sim {

class node;
class world;

class host {
 public:
  host(world& w, node& n) : world_{w}, node_{n} {}

  void deliver(const entity_id& to, const actors::request& what, const actors::reply_to& from);
  void answered(std::uint64_t ask, const actors::answer& what);
  void wake(const entity_id& id);
  /// It dies as by an exception, and comes back when nothing of it is on its way.
  void crash(const entity_id& id);
  /// Voids a match without running its code (rule D2): what comes of a quarantine or an operator.
  void end_match(const entity_id& id);
  /// Each finishes the commit it has begun. @returns whether none of the shard is left
  bool stop(shard_id shard, bool at_once);
  [[nodiscard]] std::vector<entity_id> live() const;
  /// How `id` stands here, for people.
  [[nodiscard]] std::string picture(const entity_id& id) const;

 private:
  friend class host_context;
  struct one {
    std::unique_ptr<actors::entity> what;  // null while its journal is read
    std::unique_ptr<actors::context> context;
    std::uint64_t activation = 0, head = 0, epoch = 0;
    std::deque<std::pair<actors::request, actors::reply_to>> held;
    bool committing = false, ready = false;
    std::shared_ptr<sent_commit> leaving;  // what is being committed, while more may join
    std::set<std::uint64_t> watchers;      // edges
    millis timer_at = 0, clock = 0, began = 0;
  };
  using change_ptr = std::shared_ptr<const actors::change>;
  struct open_ask {
    entity_id from, to;
    std::uint64_t activation = 0, correlation = 0;
    actors::request what;
    millis deadline = 0;
  };

  one* activate(const entity_id& id);
  void load(const entity_id& id, std::uint64_t activation);
  void restore(const entity_id& id, one& own, const storage::activation& stored);
  void pump(const entity_id& id);
  bool join(const entity_id& id);
  void plan_end(const entity_id& id, std::uint64_t epoch);
  void commit_end(const entity_id& id, std::uint64_t epoch, std::uint64_t head,
                  const change_ptr& what);
  template <class F>
  void step(const entity_id& id, std::uint64_t activation, F&& call);
  void commit(const entity_id& id, std::uint64_t activation, actors::change what);
  void settled(const entity_id& id, std::uint64_t activation, std::size_t events,
               const storage::member_result& result);
  void tell_early(const entity_id& id, std::uint64_t activation, const actors::change& what);
  void check_clock(const entity_id& id, const one& own, const actors::change& what);
  void fire(const entity_id& id, std::uint64_t activation, millis at);
  void try_ask(std::uint64_t number);
  void ended(std::uint64_t number, const actors::answer& what);
  [[nodiscard]] shard_id shard(const entity_id& id) const;

  world& world_;
  node& node_;
  std::map<entity_id, one> live_;
  std::map<entity_id, int> flying_;  // commits not yet answered, of whatever life
  std::map<std::uint64_t, open_ask> asks_;
  std::map<entity_id, int> ending_;  // voids under way: it sleeps meanwhile
  std::uint64_t next_activation_ = 1, next_ask_ = 1;
};

}  // namespace baraza::sim
