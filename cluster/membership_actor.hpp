// The actor around this node's member: asks the store and the peers what it wants asked, and tells
// region and gate what it has decided. Three files: what it hears (membership_actor.cpp), what it
// is told to do (membership_port.cpp) and what operators ask (membership_operator.cpp).
#pragma once

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <memory>
#include <set>
#include <vector>

#include "cluster/limits.hpp"
#include "cluster/load_meter.hpp"
#include "cluster/membership/member.hpp"
#include "cluster/membership/probe_relay.hpp"
#include "cluster/messages.hpp"
#include "cluster/operators.hpp"
#include "cluster/peers.hpp"
#include "cluster/pending.hpp"
#include "cluster/services.hpp"
#include "cluster/store_lane.hpp"

namespace baraza::cluster {

struct membership_parts {
  std::uint64_t self = 0;
  bool owns_shards = true;
  bool has_certificates = false;  // of its links
  lease_options lease;
  member::time_point asked_at;  // when the join was sent
  link* links = nullptr;        // outlives the actor
  /// Leases must not wait for anything; a death may wait for locks.
  std::unique_ptr<storage::membership_store> leases, views, changes;
};

/// Runs detached: a rule that holds the scheduler's threads must not cost the node its lease.
class membership_actor final : public caf::event_based_actor, public member_port {
 public:
  membership_actor(caf::actor_config& config, std::shared_ptr<node_services> node,
                   std::shared_ptr<membership_parts> parts);
  ~membership_actor() override;
  const char* name() const override { return "membership"; }

  // ---- what operators ask, in a member_says (membership_operator.cpp)
  void operate(const operator_wish& what, const operator_answer& answered);
  void report(const report_answer& answered);
  void reload_certificates();

 private:
  using time_point = member::time_point;
  static time_point now() { return std::chrono::steady_clock::now(); }
  caf::behavior make_behavior() override;
  void on_exit() override;

  // ---- what it hears (membership_actor.cpp)
  void tick();
  void hear(control_in& m);
  void hear_word(std::uint64_t from, const wire::probe& m);
  void hear_word(std::uint64_t from, const wire::alive& m);
  void hear_word(std::uint64_t from, const wire::try_for& m);
  void hear_word(std::uint64_t from, const wire::tried& m);
  void hear_word(std::uint64_t from, const wire::greeting& m);
  void hear_word(std::uint64_t from, const wire::greeted& m);
  void hear_word(std::uint64_t from, const wire::hand_off& m);
  void hear_word(std::uint64_t from, const wire::shard_news& m);
  void hear_word(std::uint64_t, const wire::view_news&) { member_.read_soon(); }
  void hear_word(std::uint64_t, const wire::digest&) {}        // the gateway's
  void hear_word(std::uint64_t, const wire::logins_ended&) {}  // likewise
  void hear_word(std::uint64_t from, const wire::ask_load& m);
  void hear_word(std::uint64_t from, const wire::load_told& m);
  void hear_word(std::uint64_t from, const wire::order_move& m);
  void hear_word(std::uint64_t from, const wire::order_heard& m);
  void hear_link(const link_changed& m);
  void hear_moved(const wire::moved& m);
  void on_renewed(std::uint64_t question, const storage::result<storage::renewal>& answer,
                  millis asked, millis heard);
  bool is_rolled_back(const storage::error& why);
  void on_state(const storage::result<storage::cluster_state>& answer);
  void on_rows(const std::vector<storage::shard_change>& asked,
               const storage::result<std::vector<storage::shard_row>>& rows);
  /// After whatever the member was told: what it wants stored, and what the region should know.
  void conclude();
  void send_changes_soon();
  void tell_news();
  void send_changes(std::vector<storage::shard_change>& what, bool& is_busy, bool is_take);
  void look_at_view();
  void set_peers(const storage::cluster_state& state);
  void tell_places();
  void give_edge(peer& to);
  void go_on_leaving();
  void has_left();

  // ---- what operators ask
  using state_ptr = std::shared_ptr<const storage::cluster_state>;
  using state_result = storage::result<storage::cluster_state>;
  struct open_report {
    cluster_report so_far;
    std::set<std::uint64_t> missing;
    report_answer answered;
  };
  void measure();
  [[nodiscard]] wire::load_told own_load() const;
  /// @param what null: it cannot be asked
  void told_load(std::uint64_t number, std::uint64_t from, const wire::load_told* what);
  void finish(open_report& what);
  void consider(const operator_wish& what, const operator_answer& answered, const state_ptr& state);
  void obey(const operator_wish& what, const operator_answer& answered, const state_ptr& state);
  void change_status(std::uint64_t who, storage::member_status to, const operator_answer& answered);
  void remove(std::uint64_t who, const operator_wish& what, const operator_answer& answered);
  void move(shard_id shard, std::uint64_t to, const operator_answer& answered);
  void end_late_questions();

  // ---- what it is told to do (membership_port.cpp)
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
  void carry_out(const shard_action& what) override;
  void suspended(bool is) override;
  void stop(std::string_view why) override;
  void expelled() override;
  void set_status(storage::member_status to);

  void later(std::function<void(membership_actor&)> what);
  /// Runs `ask` on the lane's thread and `hear` with its answer here.
  template <class Ask, class Hear>
  bool ask_store(store_lane& at, Ask ask, Hear hear) {
    auto self = caf::actor_cast<caf::actor>(this);
    return at.submit([self, ask = std::move(ask), hear = std::move(hear)](auto& store) {
      caf::anon_send(
          self, member_says{[answer = ask(store), hear](membership_actor& a) { hear(a, answer); }});
    });
  }
  void log(severity how, std::string_view event, std::string_view detail) const;

  std::shared_ptr<node_services> node_;
  std::shared_ptr<membership_parts> parts_;
  store_lane leases_, views_, changes_;
  member member_;
  probe_relay relay_;
  std::uint64_t renewals_ = 0;
  time_point renewal_due_{};
  std::vector<storage::shard_change> to_take_, to_release_;
  std::vector<shard_action> steps_;
  std::vector<wire::shard_news::row> news_;  // for all peers, with the next conclusion
  std::uint64_t shown_version_ = 0;
  // One of each on its way: what comes meanwhile goes together, and moves cost few transactions.
  bool is_taking_ = false, is_releasing_ = false, is_declaring_ = false, is_sending_soon_ = false;
  millis shown_at_ = 0;       // store time of the state on the board
  bool caused_news_ = false;  // the next state is our own doing: the others should read it
  struct known_peer {
    time_point since;
    bool was_up = false;
  };
  std::map<std::uint64_t, known_peer> known_;
  struct edge_slot {
    std::uint64_t incarnation = 0;  // 0: free
    time_point free_since{};
  };
  std::vector<edge_slot> edges_;  // index: number here
  bool leaving_ = false, is_left_asked_ = false;
  time_point leave_by_{}, next_status_{};
  load_meter meter_;
  pending<open_report> reports_{operator_questions_max};
  pending<operator_answer> orders_{operator_questions_max};
};

}  // namespace baraza::cluster
