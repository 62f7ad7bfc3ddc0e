// One simulated process: the real member, gate and shard view, and the thin shell that carries out
// what they decide. An edge is a node of weight 0 with watchers.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "cluster/membership/gate_shards.hpp"
#include "cluster/membership/member.hpp"
#include "cluster/reachability.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/world.hpp"

namespace baraza::sim {

class player;

struct envelope {
  entity_id to;
  actors::request what;
  actors::reply_to from;
  std::uint64_t sender = 0, epoch = 0, version = 0;
  int hops = 0;
};

class node final : public cluster::member_port {
 public:
  node(world& w, std::uint64_t id, bool is_edge, std::string name);

  // ---- the region
  void route(envelope what);
  void answer(const actors::reply_to& to, const actors::answer& what);
  /// To the edges that watch; a table's new life is told to all.
  void push(const actors::push& what, const std::set<std::uint64_t>& watchers);
  void push_to(std::uint64_t edge, const actors::push& what);
  // ---- the gate
  using outcome = std::function<void(const storage::member_result&)>;
  void commit(sent_commit what, outcome then);
  // ---- an edge
  void watch(const entity_id& table);
  void forget(const entity_id& table);
  /// On whose behalf; only a player's own look does not make his edge a watcher.
  enum class session : std::uint64_t { player = 1, look, renewal };
  std::uint64_t ask(const entity_id& to, const actors::request& what,
                    std::function<void(const actors::answer&)> then, session of = session::player);
  [[nodiscard]] bool is_watching(const entity_id& table) const { return watched_.contains(table); }
  [[nodiscard]] std::string watch_of(const entity_id& table) const;  // for people
  [[nodiscard]] std::uint64_t seen_of(const entity_id& table) const;

  [[nodiscard]] std::chrono::steady_clock::time_point clock() const;
  [[nodiscard]] millis cluster_now() const;

  // ---- its life
  void leave();
  void expelled() override;

  // ---- member_port
  void renew() override;
  void read(std::uint64_t known) override;
  void become_up() override;
  void vote(std::uint64_t accused, storage::vote_kind kind) override;
  void withdraw(std::uint64_t accused) override;
  void declare_dead(std::uint64_t version, std::span<const std::uint64_t> dead,
                    std::span<const storage::shard_change> changes) override;
  void coordinate() override;
  void raise_level(std::uint64_t coordinator_epoch, std::uint16_t level) override;
  void probe(std::uint64_t target, std::uint64_t number) override;
  void ask_helper(const cluster::ask_helper& what) override;
  void greet(std::uint64_t who) override;
  void ask_hand_off(const cluster::ask_hand_off& what) override;
  void tell_rows(std::span<const storage::shard_row> rows) override;
  void carry_out(const cluster::shard_action& what) override;
  void suspended(bool is) override;
  void stop(std::string_view why) override;

  const std::uint64_t id;
  const bool is_edge;
  const std::string name;
  bool running = true;
  millis paused_until = 0;
  millis store_seen = 0;  // time the store could have heard it and did not
  cluster::reachability reach;
  /// Until when its players could not act, by what the world has seen: a commit that took longer
  /// than a second and a half, or a process that stood still for that.
  [[nodiscard]] millis impeded_at() const;

 private:
  world& world_;
  std::int64_t skew_, drift_ppm_;  // of its clock: where it began, and how fast it runs
  millis started_;

 public:
  cluster::member member;
  host entities;

 private:
  /// What it reads of the store, and for the oracle how things were then.
  struct snapshot {
    storage::cluster_state state;
    std::map<std::uint64_t, millis> silences;
  };
  void look(snapshot& out) const;
  void learn_state(const snapshot& seen);
  void tick();
  void look_at_wakes();
  void load_wakes(shard_id shard, std::uint64_t epoch);
  void arrive(envelope what);
  void receive_push(const actors::push& what);
  void receive_digest(const std::map<entity_id, std::uint64_t>& heads);
  void tell_digests();
  void watch_again(const entity_id& table);
  void renew_watches();
  void learn_view(const entity_id& table, const actors::table_view& view);
  void go_on_leaving();
  void drain(shard_id shard, std::uint64_t epoch, int tries);
  void drop_waiting(shard_id shard);
  void move_shard(shard_id shard, std::function<storage::shard_row()> op);
  void answer_probe(std::uint64_t asker, std::uint64_t number);
  void take_off(sent_commit what, outcome then);
  void fly(const std::shared_ptr<sent_commit>& what, const outcome& then);
  void look_for(const std::shared_ptr<sent_commit>& what, const outcome& then);
  void land(const sent_commit& what, const outcome& then, const storage::member_result& result);

  cluster::gate_shards gate_;
  std::map<std::uint64_t, millis> silences_;  // as of the member's last state
  std::uint64_t generation_ = 1, batches_ = 0, next_request_ = 1;
  std::vector<std::pair<sent_commit, outcome>> waiting_;  // held by the gate while suspended
  struct flight {
    bool is_out = false;
    millis since = 0;
  };
  std::array<flight, cluster::reachability::writers_max> flights_;  // by lane of `reach`
  millis impeded_at_ = 0, ticked_at_ = 0;
  std::map<shard_id, std::deque<envelope>> held_;
  std::map<entity_id, millis> wakes_;
  millis next_scan_ = 0, next_digest_ = 0, next_sweep_ = 0, leave_by_ = 0, next_leave_ = 0;
  std::map<std::uint64_t, std::map<entity_id, std::uint64_t>> heads_;  // pushed, by edge
  std::optional<std::pair<std::chrono::steady_clock::time_point, millis>> store_clock_;
  struct watched {
    std::uint64_t seq = 0, epoch = 0;    // of the session that watches
    std::uint64_t pushed = 0, seen = 0;  // the newest pushed here; the newest it was shown
    bool caught_up = false;
    std::uint64_t asked = 0, place = 0;  // number of its last watch; epoch of the shard then
    millis next_renewal = 0;
  };
  std::map<entity_id, watched> watched_;
  std::map<std::uint64_t, std::function<void(const actors::answer&)>> requests_;
};

}  // namespace baraza::sim
