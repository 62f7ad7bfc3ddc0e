// What the runtime's own actors say to each other: hosts, region, gate, writers, gateway. One
// struct a message.
#pragma once

#include <atomic>
#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/entity.hpp"
#include "actors/messages.hpp"
#include "cluster/membership/shard_keeper.hpp"
#include "cluster/membership/shard_view.hpp"
#include "cluster/type_ids.hpp"
#include "cluster/wire/envelope.hpp"
#include "storage/store.hpp"

namespace baraza::cluster {

/// Numbers the lives of one entity on this node; the gate refuses commits of an earlier one (rule
/// B5).
using activation_number = std::uint64_t;

/// The player's request that a chain of messages serves, as the edge numbered it: the same from the
/// socket through table and wallet to the commit, so that one search in the log finds them all.
struct cause {
  std::uint32_t edge = 0;  // 0: nobody asked; a clock or the node itself did
  std::uint64_t session = 0, request = 0;
  std::shared_ptr<const std::string> http;  // the X-Request-Id of an HTTP request; else null
  /// "e1-s4-r17", "http-a-request-id"; empty if nobody asked.
  [[nodiscard]] std::string to_string() const {
    if (edge == 0) return {};
    if (http) return "http-" + *http;
    return "e" + std::to_string(edge) + "-s" + std::to_string(session) + "-r" +
           std::to_string(request);
  }
};

/// A request on its way to an entity. Between nodes the region packs it with schema and view
/// version; here it travels as it is.
struct envelope {
  entity_id to;
  actors::reply_to from;
  actors::request what;
  millis deadline = 0;  // cluster time; past it nobody waits any more. 0: none
  cause origin;
  std::uint64_t sender = 0;  // the node it came from, and whose reply address it bears; 0: this one
};
using envelope_ptr = std::shared_ptr<envelope>;

struct deliver {
  envelope_ptr what;
};  // → region → host
struct answer_in {
  entity_id to;
  std::uint64_t correlation;
  actors::answer what;
};  // → region → host

/// One commit on its way through the gate. The host keeps a share and reads `result` when
/// commit_done arrives.
struct commit_ticket {
  /// Who may change `work`. The host may, for a moment, as long as the gate has not taken it.
  enum class hold : std::uint8_t { open, changing, sealed };

  storage::commit work;
  std::atomic<hold> held = hold::open;
  caf::actor host;  // gets commit_done; empty: a void, answered to the region
  activation_number activation = 0;
  cause origin;
  storage::member_result result;
  bool refused_by_gate = false;  // of an earlier activation or a closed shard: its host must end
};
using ticket_ptr = std::shared_ptr<commit_ticket>;
/// The region's own: the commit that voids an entity, and whose wallets it credits.
struct void_ticket : commit_ticket {
  std::string why;
  std::vector<uuid> credited;
  storage::currency money = storage::currency::demo;
};

struct commit_asked {
  ticket_ptr ticket;
};  // host → gate
struct commit_done {
  ticket_ptr ticket;
};  // writer or gate → host
struct flush {
  std::shared_ptr<std::vector<ticket_ptr>> members;
  std::uint64_t number;
};  // gate → writer
struct flushed {
  std::uint16_t writer;
  storage::errc code;
};  // writer → gate
struct look_again {
  std::uint16_t writer;
};  // gate → itself: all that waits was being changed at that moment
struct bar {
  entity_id who;
  activation_number earliest;
};  // region → gate: earlier activations are over
struct barred {
  entity_id who;
  activation_number earliest;
};  // gate → region: and nothing of them is in flight

struct activate_now {
  entity_id who;
};  // region → itself, after a back-off
struct loaded {
  storage::activation what;
  millis at;
  bool is_suspected = false;  // a strike stands against it
  bool is_counted = false;    // one was counted for this very load
  bool is_condemned = false;  // it ended its process too often: none of its code may run (rule D3)
};                            // read pool → host
struct read_ended {
  std::vector<entity_id> failed;            // to be read again
  std::vector<storage::wake_row> suspects;  // to be loaded by themselves
  bool reader_free = false;
};  // read pool or host → region
struct stands {
  entity_id who;
};  // host → region: it is loaded, its first commit durable, and the process lives
struct rows_read {           // read pool → host
  std::uint64_t number = 0;  // of the read: a question may be asked again when it has changed
  std::shared_ptr<std::vector<storage::balance>> balances;  // null: it asked for transfers
  std::shared_ptr<std::vector<storage::transfer>> transfers;
};
struct host_failed {
  entity_id who;
  std::string why;
  bool is_suspected = false;  // it did not stand yet
  bool was_asked = false;     // it failed at a request, not at a clock, an answer or its own commit
  std::optional<actors::poison> poison;
};  // host → region: restart me; I hand back what still reaches me
struct past_lives {
  std::vector<actors::poison> poisons;
  bool just_now = false;  // the last one ended with the last of them
};                        // region → host, before it is loaded, if any of its lives has failed
struct progressed {
  entity_id who;
  bool had_strikes = false;
};  // host → region: it has failed before, and has got on now
struct fold_failed {
  entity_id who;
  std::string why;
};  // host → region
struct void_later {
  fold_failed what;
};  // void job → region: the store is away
struct voided {
  entity_id who;
  bool done, readable;
  std::string why;
};  // void job → region; readable: it left a snapshot

/// An operator's order is on record, and what it forgives is forgiven; or the store did not answer.
struct order_recorded {
  envelope_ptr what;
  bool done;
};  // read pool → region

struct arm_timer {
  entity_id who;
  millis at;
};                         // host → region
struct wheel_tick_now {};  // node, once → region; then region → itself
struct wheel_due {};       // region → host
struct wakes_found {
  std::vector<storage::wake_row> rows;
};  // read pool → region
struct wish_to_sleep {
  entity_id who;
  millis wake_at;
};                    // host → region; wake_at 0: only a request wakes it
struct sleep_now {};  // region → host: nothing more comes; end, unless something came before
struct stay_awake {
  entity_id who;
};  // host → region: something came before
struct stop_region {};
struct drain_asked {};  // node → gate: is nothing queued or in flight?

struct edge_push {
  std::shared_ptr<const actors::push> what;
};                    // host → gateway
struct edge_answer {  // host → gateway
  std::uint64_t session = 0, request = 0;
  actors::answer what;
};
struct edge_attached {
  std::uint32_t edge;
  caf::actor gateway;
};
struct edge_sweep {};  // gateway → itself: deadlines, renewals
struct edge_flush {};  // gateway → itself: what it has told its sessions leaves

// ---- several nodes

/// arbiter, link → membership: something it must be told. A closure, because what the store answers
/// belongs to one question and is read nowhere else.
struct member_says {
  std::function<void(class membership_actor&)> tell;
};
struct member_tick_now {};  // membership → itself
struct control_in {
  std::uint64_t from = 0, view = 0;
  wire::control what;
};  // link → membership
struct link_changed {
  std::uint64_t peer = 0;
  bool is_outgoing = false, is_up = false;
};                      // link → membership
struct leave_asked {};  // node → membership: hand all shards off, then leave the cluster

/// A shard's step, in the order in which shard_keeper decided them.
struct shard_steps {
  std::vector<shard_action> what;
};  // membership → region
struct places_told {
  std::vector<std::pair<shard_id, shard_place>> what = {};
  bool has_adopted = false;  // some are here without a release of their last owner
};                           // membership → region: owners have changed
struct shards_loaded {
  std::vector<std::pair<shard_id, std::uint64_t>> what;
  bool done = true;  // false: the store did not answer, read them again
};                   // read pool → region → membership: their wake rows are in the wheel
struct shard_stopped {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};  // region → membership
struct leave_shard {
  bool at_once = false;
};  // region → host: finish the commit in flight, hand back what waits, end
struct gate_shard {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
  bool open = false;
};  // membership → gate
struct gate_emptied {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};  // gate → membership
struct gate_paused {
  bool is = false;
};  // membership → gate: the lease is over, or held again

/// A request from another node.
struct remote_in {
  envelope_ptr what;
  std::uint64_t epoch = 0, view = 0;  // what its sender believes
};                                    // link → region
struct moved_in {
  wire::moved what;
};  // link → membership: it was not there
struct peer_reached {
  std::uint64_t peer = 0;
  bool is_up = false;
};  // membership → region: down, or up again; what was sent to it before may be lost
/// Shards that are somewhere else now, or cannot be reached for longer than a moment.
struct shards_changed {
  std::shared_ptr<const std::vector<shard_id>> shards;
  bool is_paused = false;
};  // region → gateway
struct edge_logout {
  wire::logins_ended what;
};  // link → gateway
struct edge_heads {
  wire::digest what;
};  // link → gateway

}  // namespace baraza::cluster
