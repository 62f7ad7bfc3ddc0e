// The fields of every message in the order in which they stand on the wire, and the numbers of the
// variants' cases. Append only: a field or a number once here keeps its place for ever, also when
// nobody uses it any more.
// A new field of an old struct goes last, as added(v.field), and raises own_version().schema.
#pragma once

#include "cluster/wire/archive.hpp"
#include "cluster/wire/envelope.hpp"

// In the namespaces of the structs, so that the archives find them by their argument.
namespace baraza {
void fields(auto& a, auto& v) requires
    std::is_same_v<std::remove_const_t<std::remove_reference_t<decltype(v)>>, entity_id> {
  a(v.kind, v.key);
}
}  // namespace baraza

namespace baraza::actors {

template <class V, class T>
concept like = std::is_same_v<std::remove_cvref_t<V>, T>;

void fields(auto& a, like<reply_to> auto& v) { a(v.edge, v.session, v.request, v.entity); }
void fields(auto& a, like<seat_info> auto& v) { a(v.player, cluster::wire::as_text(v.display)); }
void fields(auto& a, like<table_events::variant_body> auto& v) { a(v.seats, v.body); }

// ---- cases: `with` is called with the tag and the fields

void fields_of(like<wallet_get> auto& v, auto with) { with(v.money); }
void fields_of(like<wallet_buy_in> auto& v, auto with) {
  with(v.transfer, v.match, v.escrow, v.amount, v.money);
}
void fields_of(like<wallet_credited> auto& v, auto with) {
  with(v.now.account, v.now.amount, v.now.version, v.money);
}
void fields_of(like<table_create> auto& v, auto with) {
  with(cluster::wire::as_text(v.game), v.options, v.stake, v.money, v.seats);
}
void fields_of(like<table_watch> auto& v, auto with) { with(v.player, v.seq, v.epoch); }
void fields_of(like<table_renew> auto& v, auto with) { with(v.seq); }
void fields_of(like<table_unwatch> auto&, auto with) { with(); }
void fields_of(like<table_ready> auto& v, auto with) { with(v.player, v.hash); }
void fields_of(like<table_open> auto& v, auto with) { with(v.player, v.seed, v.salt); }
void fields_of(like<table_act> auto& v, auto with) { with(v.player, v.command, v.action); }
void fields_of(like<table_concede> auto& v, auto with) { with(v.player, v.command); }
void fields_of(like<lobby_join> auto& v, auto with) {
  with(v.ticket, v.player, v.login, cluster::wire::as_text(v.display),
       cluster::wire::as_text(v.game), v.options, v.stake, v.money, v.rating);
}
void fields_of(like<lobby_leave> auto& v, auto with) {
  with(v.ticket, v.player, v.lost_connection);
}
void fields_of(like<lobby_back> auto& v, auto with) { with(v.ticket, v.player); }
inline bool is_known(operator_order::action what) {
  return what <= operator_order::action::give_up;
}
void fields_of(like<operator_order> auto& v, auto with) {
  with(v.what, cluster::wire::as_text(v.by));
}
#ifdef BARAZA_TEST_COMMANDS
inline bool is_known(debug_fault::how how) { return how <= debug_fault::how::crashes; }
void fields_of(like<debug_fault> auto& v, auto with) { with(v.what); }
#endif

void fields_of(like<accepted> auto& v, auto with) { with(v.seq); }
void fields_of(like<refused> auto& v, auto with) {
  with(cluster::wire::as_text(v.code), cluster::wire::as_text(v.message), v.retry_ms);
}
void fields_of(like<wallet_state> auto& v, auto with) {
  with(v.money, v.balance, v.available, v.version);
}
void fields_of(like<bought_in> auto& v, auto with) { with(v.balance, v.version); }
void fields_of(like<table_view> auto& v, auto with) {
  with(v.epoch, v.seq, v.seat, v.events_only, v.body);
}

void fields_of(like<table_events> auto& v, auto with) {
  with(v.table, v.epoch, v.prev, v.seq, v.bodies, v.causes, v.ended);
}
void fields_of(like<player_push> auto& v, auto with) {
  with(v.player, cluster::wire::as_text(v.type), v.count, v.fields, v.table);
}
void fields_of(like<table_restarted> auto& v, auto with) { with(v.table); }

}  // namespace baraza::actors

namespace baraza::cluster::wire {

using actors::like;

void fields_of(like<moved> auto& v, auto with) {
  with(v.shard, v.view, v.epoch, v.owner, v.next_owner);
}
void fields_of(like<probe> auto& v, auto with) { with(v.number); }
void fields_of(like<alive> auto& v, auto with) { with(v.number, v.is_suspended); }
void fields_of(like<try_for> auto& v, auto with) { with(v.target, v.number); }
void fields_of(like<tried> auto& v, auto with) {
  with(v.target, v.number, v.answered, v.is_suspended);
}
void fields_of(like<greeting> auto&, auto with) { with(); }
void fields_of(like<greeted> auto&, auto with) { with(); }
void fields_of(like<hand_off> auto& v, auto with) {
  with(v.shard, v.epoch, v.to, v.coordinator_epoch);
}
void fields(auto& a, like<shard_news::row> auto& v) { a(v.shard, v.owner, v.epoch, v.next_owner); }
void fields_of(like<shard_news> auto& v, auto with) { with(v.rows); }
void fields_of(like<view_news> auto&, auto with) { with(); }
void fields(auto& a, like<digest::entry> auto& v) { a(v.table, v.seq); }
void fields_of(like<digest> auto& v, auto with) { with(v.tables); }
void fields_of(like<ask_load> auto& v, auto with) { with(v.number); }
void fields_of(like<load_told> auto& v, auto with) {
  with(v.number, v.sessions, v.tables, v.entities, v.sent_per_s, v.received_per_s, v.commits_per_s,
       v.commit_us_p50, v.commit_us_p99, v.is_suspended);
}
void fields_of(like<order_move> auto& v, auto with) { with(v.number, v.shard, v.to); }
void fields_of(like<order_heard> auto& v, auto with) { with(v.number, v.is_taken); }
void fields_of(like<logins_ended> auto& v, auto with) { with(v.player, v.login); }
void fields(auto& a, like<origin> auto& v) { a(v.edge, v.session, v.request, added(v.http)); }
void fields(auto& a, like<reply_address> auto& v) {
  a(v.node, v.incarnation, v.to.edge, v.to.session, v.to.request, v.to.entity);
}

// ---- numbers

enum class kind : std::uint8_t { request = 1, answer = 2, push = 3, moved = 4, control = 5 };

/// The number of a case within its kind.
template <class T>
inline constexpr std::uint32_t tag_of = 0;
template <>
inline constexpr std::uint32_t tag_of<actors::wallet_get> = 1;
template <>
inline constexpr std::uint32_t tag_of<actors::wallet_buy_in> = 2;
template <>
inline constexpr std::uint32_t tag_of<actors::wallet_credited> = 3;
template <>
inline constexpr std::uint32_t tag_of<actors::table_create> = 4;
template <>
inline constexpr std::uint32_t tag_of<actors::table_watch> = 5;
template <>
inline constexpr std::uint32_t tag_of<actors::table_renew> = 6;
template <>
inline constexpr std::uint32_t tag_of<actors::table_unwatch> = 7;
template <>
inline constexpr std::uint32_t tag_of<actors::table_ready> = 8;
template <>
inline constexpr std::uint32_t tag_of<actors::table_open> = 9;
template <>
inline constexpr std::uint32_t tag_of<actors::table_act> = 10;
template <>
inline constexpr std::uint32_t tag_of<actors::table_concede> = 11;
template <>
inline constexpr std::uint32_t tag_of<actors::lobby_join> = 12;
template <>
inline constexpr std::uint32_t tag_of<actors::lobby_leave> = 13;
template <>
inline constexpr std::uint32_t tag_of<actors::lobby_back> = 14;
template <>
inline constexpr std::uint32_t tag_of<actors::operator_order> = 15;
#ifdef BARAZA_TEST_COMMANDS
template <>
inline constexpr std::uint32_t tag_of<actors::debug_fault> = 240;
#endif
template <>
inline constexpr std::uint32_t tag_of<actors::accepted> = 1;
template <>
inline constexpr std::uint32_t tag_of<actors::refused> = 2;
template <>
inline constexpr std::uint32_t tag_of<actors::wallet_state> = 3;
template <>
inline constexpr std::uint32_t tag_of<actors::bought_in> = 4;
template <>
inline constexpr std::uint32_t tag_of<actors::table_view> = 5;
template <>
inline constexpr std::uint32_t tag_of<actors::table_events> = 1;
template <>
inline constexpr std::uint32_t tag_of<actors::player_push> = 2;
template <>
inline constexpr std::uint32_t tag_of<actors::table_restarted> = 3;
template <>
inline constexpr std::uint32_t tag_of<probe> = 1;
template <>
inline constexpr std::uint32_t tag_of<alive> = 2;
template <>
inline constexpr std::uint32_t tag_of<try_for> = 3;
template <>
inline constexpr std::uint32_t tag_of<tried> = 4;
template <>
inline constexpr std::uint32_t tag_of<greeting> = 5;
template <>
inline constexpr std::uint32_t tag_of<greeted> = 6;
template <>
inline constexpr std::uint32_t tag_of<hand_off> = 7;
template <>
inline constexpr std::uint32_t tag_of<shard_news> = 8;
template <>
inline constexpr std::uint32_t tag_of<view_news> = 9;
template <>
inline constexpr std::uint32_t tag_of<digest> = 10;
template <>
inline constexpr std::uint32_t tag_of<ask_load> = 11;
template <>
inline constexpr std::uint32_t tag_of<load_told> = 12;
template <>
inline constexpr std::uint32_t tag_of<order_move> = 13;
template <>
inline constexpr std::uint32_t tag_of<order_heard> = 14;
template <>
inline constexpr std::uint32_t tag_of<logins_ended> = 15;

}  // namespace baraza::cluster::wire
