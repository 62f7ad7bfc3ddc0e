// The one type-id block of the system, over forward-declared messages. Ids travel between nodes:
// append, never reorder or reuse.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

namespace baraza::cluster {
struct deliver;
struct answer_in;
struct loaded;
struct commit_asked;
struct commit_done;
struct flushed;
struct flush;
struct bar;
struct barred;
struct wheel_due;
struct wheel_tick_now;
struct arm_timer;
struct wish_to_sleep;
struct sleep_now;
struct stay_awake;
struct fold_failed;
struct void_later;
struct voided;
struct activate_now;
struct read_ended;
struct stands;
struct past_lives;
struct progressed;
struct order_recorded;
struct rows_read;
struct edge_push;
struct edge_answer;
struct edge_attached;
struct edge_sweep;
struct wakes_found;
struct stop_region;
struct drain_asked;
struct host_failed;
struct member_says;
struct member_tick_now;
struct control_in;
struct link_changed;
struct leave_asked;
struct shard_steps;
struct places_told;
struct shards_loaded;
struct shard_stopped;
struct leave_shard;
struct gate_shard;
struct gate_emptied;
struct gate_paused;
struct remote_in;
struct moved_in;
struct peer_reached;
struct shards_changed;
struct edge_heads;
struct edge_logout;
struct look_again;
struct edge_flush;
}  // namespace baraza::cluster

CAF_BEGIN_TYPE_ID_BLOCK(baraza, first_custom_type_id)
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::deliver))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::answer_in))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::loaded))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::commit_asked))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::commit_done))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::flushed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::flush))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::bar))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::barred))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::wheel_due))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::wheel_tick_now))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::arm_timer))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::wish_to_sleep))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::sleep_now))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::stay_awake))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::fold_failed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::voided))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::void_later))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::activate_now))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::read_ended))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::rows_read))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_push))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_answer))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_attached))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_sweep))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::wakes_found))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::stop_region))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::drain_asked))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::host_failed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::member_says))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::member_tick_now))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::control_in))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::link_changed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::leave_asked))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::shard_steps))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::places_told))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::shards_loaded))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::shard_stopped))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::leave_shard))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::gate_shard))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::gate_emptied))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::gate_paused))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::remote_in))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::moved_in))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::peer_reached))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::shards_changed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_heads))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::stands))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::past_lives))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::progressed))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::order_recorded))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_logout))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::look_again))
CAF_ADD_TYPE_ID(baraza, (baraza::cluster::edge_flush))
CAF_END_TYPE_ID_BLOCK(baraza)

// In one process messages travel as they are. What crosses nodes are bytes on a link
// (cluster/wire), never these.
#define BARAZA_LOCAL_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(baraza::cluster::name)
BARAZA_LOCAL_MESSAGE(deliver)
BARAZA_LOCAL_MESSAGE(answer_in)
BARAZA_LOCAL_MESSAGE(loaded)
BARAZA_LOCAL_MESSAGE(commit_asked)
BARAZA_LOCAL_MESSAGE(commit_done)
BARAZA_LOCAL_MESSAGE(flushed)
BARAZA_LOCAL_MESSAGE(flush)
BARAZA_LOCAL_MESSAGE(look_again)
BARAZA_LOCAL_MESSAGE(edge_flush)
BARAZA_LOCAL_MESSAGE(bar)
BARAZA_LOCAL_MESSAGE(barred)
BARAZA_LOCAL_MESSAGE(wheel_due)
BARAZA_LOCAL_MESSAGE(wheel_tick_now)
BARAZA_LOCAL_MESSAGE(arm_timer)
BARAZA_LOCAL_MESSAGE(wish_to_sleep)
BARAZA_LOCAL_MESSAGE(sleep_now)
BARAZA_LOCAL_MESSAGE(stay_awake)
BARAZA_LOCAL_MESSAGE(fold_failed)
BARAZA_LOCAL_MESSAGE(voided)
BARAZA_LOCAL_MESSAGE(void_later)
BARAZA_LOCAL_MESSAGE(activate_now)
BARAZA_LOCAL_MESSAGE(read_ended)
BARAZA_LOCAL_MESSAGE(stands)
BARAZA_LOCAL_MESSAGE(past_lives)
BARAZA_LOCAL_MESSAGE(progressed)
BARAZA_LOCAL_MESSAGE(order_recorded)
BARAZA_LOCAL_MESSAGE(rows_read)
BARAZA_LOCAL_MESSAGE(edge_push)
BARAZA_LOCAL_MESSAGE(edge_answer)
BARAZA_LOCAL_MESSAGE(edge_attached)
BARAZA_LOCAL_MESSAGE(edge_sweep)
BARAZA_LOCAL_MESSAGE(wakes_found)
BARAZA_LOCAL_MESSAGE(stop_region)
BARAZA_LOCAL_MESSAGE(drain_asked)
BARAZA_LOCAL_MESSAGE(host_failed)
BARAZA_LOCAL_MESSAGE(member_says)
BARAZA_LOCAL_MESSAGE(member_tick_now)
BARAZA_LOCAL_MESSAGE(control_in)
BARAZA_LOCAL_MESSAGE(link_changed)
BARAZA_LOCAL_MESSAGE(leave_asked)
BARAZA_LOCAL_MESSAGE(shard_steps)
BARAZA_LOCAL_MESSAGE(places_told)
BARAZA_LOCAL_MESSAGE(shards_loaded)
BARAZA_LOCAL_MESSAGE(shard_stopped)
BARAZA_LOCAL_MESSAGE(leave_shard)
BARAZA_LOCAL_MESSAGE(gate_shard)
BARAZA_LOCAL_MESSAGE(gate_emptied)
BARAZA_LOCAL_MESSAGE(gate_paused)
BARAZA_LOCAL_MESSAGE(remote_in)
BARAZA_LOCAL_MESSAGE(moved_in)
BARAZA_LOCAL_MESSAGE(peer_reached)
BARAZA_LOCAL_MESSAGE(shards_changed)
BARAZA_LOCAL_MESSAGE(edge_heads)
BARAZA_LOCAL_MESSAGE(edge_logout)
#undef BARAZA_LOCAL_MESSAGE
