// Written out field by field, not by the archives' own lists: so a field that moves changes bytes.
#include "tests/cluster/wire/samples.hpp"

namespace baraza::cluster::tests {
namespace {

using namespace baraza::cluster::wire;
using storage::currency;

uuid id(std::uint8_t first) {
  uuid out;
  for (auto& b : out.bytes) b = first++;
  return out;
}
template <std::size_t N>
std::array<std::uint8_t, N> bytes(std::uint8_t first) {
  std::array<std::uint8_t, N> out{};
  for (auto& b : out) b = first++;
  return out;
}

head sample_head() {
  head h;
  h.view = 11;
  h.epoch = 12;
  h.to = {entity_kind::lobby, id(0x10)};
  h.correlation = 13;
  h.deadline = 1'700'000'000'000;
  h.from.node = id(0x70);
  h.from.incarnation = 15;
  h.from.to = {16, 17, 18, entity_id{entity_kind::table, id(0x20)}};
  h.cause = {19, 20, 21, "a-request"};
  return h;
}

std::vector<std::pair<std::string, actors::request>> requests() {
  const std::string raw{"\x81\x00\xFF", 3};
  actors::wallet_buy_in buy{id(0x30), id(0x40), id(0x50), 500, currency::kes};
  actors::wallet_credited credited;
  credited.now = {.account = id(0x60), .amount = -7, .version = 70'000};
  credited.money = currency::kes;
  actors::table_create create;
  create.game = "draw", create.options = raw, create.stake = 300, create.money = currency::kes;
  create.seats = {{id(0x31), "Wanjikũ"}, {id(0x41), "B"}};
  actors::lobby_join join;
  join.ticket = id(0x32), join.player = id(0x42), join.login = id(0x52);
  join.display = "Otieno", join.game = "pool", join.options = raw;
  join.stake = 1000, join.money = currency::kes, join.rating = -3;
  return {
      {"wallet_get", actors::wallet_get{currency::kes}},
      {"wallet_buy_in", buy},
      {"wallet_credited", credited},
      {"table_create", create},
      {"table_watch", actors::table_watch{id(0x33), 1, 2}},
      {"table_renew", actors::table_renew{3}},
      {"table_unwatch", actors::table_unwatch{}},
      {"table_ready", actors::table_ready{id(0x34), bytes<32>(0x80)}},
      {"table_open", actors::table_open{id(0x35), raw, bytes<16>(0x90)}},
      {"table_act", actors::table_act{id(0x36), 41, raw}},
      {"table_concede", actors::table_concede{id(0x37), 42}},
      {"lobby_join", join},
      {"lobby_leave", actors::lobby_leave{id(0x38), id(0x48), true}},
      {"lobby_back", actors::lobby_back{id(0x39), id(0x49)}},
      {"operator_order", actors::operator_order{actors::operator_order::action::give_up, "amina"}}};
}

std::vector<std::pair<std::string, actors::answer>> answers() {
  return {{"accepted", actors::accepted{5}},
          {"refused", actors::refused{"overloaded", "too many", 200}},
          {"wallet_state", actors::wallet_state{currency::kes, 900, 800, 7}},
          {"bought_in", actors::bought_in{901, 8}},
          {"table_view", actors::table_view{2, 9, 1, true, std::string{"\x90\xFE", 2}}}};
}

std::vector<std::pair<std::string, actors::push>> pushes() {
  actors::table_events events;
  events.table = id(0x3A), events.epoch = 1, events.prev = 2, events.seq = 3;
  events.bodies = {{1, "a"}, {0x80000002, "bc"}};
  events.causes = {{4, 5, 6, std::nullopt}, {7, 8, 9, std::nullopt}};
  events.ended = true;
  actors::player_push to_player{id(0x3B), "lobby.matched", 2, std::string{"\xA1z\x01", 3},
                                id(0x4B)};
  return {{"table_events", events},
          {"player_push", to_player},
          {"table_restarted", actors::table_restarted{id(0x3C)}}};
}

std::vector<std::pair<std::string, control>> controls() {
  return {{"probe", probe{81}},
          {"alive", alive{82, true}},
          {"try_for", try_for{83, 84}},
          {"tried", tried{85, 86, true, false}},
          {"greeting", greeting{}},
          {"greeted", greeted{}},
          {"hand_off", hand_off{87, 88, 89, 90}},
          {"shard_news", shard_news{{{91, 92, 93, 94}, {95, 0, 96, 97}}}},
          {"view_news", view_news{}},
          {"digest", digest{{{id(0x3D), 95}, {id(0x3E), 96}}}},
          {"ask_load", ask_load{97}},
          {"load_told", load_told{98, 99, 100, 101, 102, 103, 104, 105, 106, true}},
          {"order_move", order_move{107, 108, 109}},
          {"order_heard", order_heard{110, true}},
          {"logins_ended", logins_ended{id(0x3F), id(0x4F)}}};
}

}  // namespace

std::vector<std::pair<std::string, message>> fixed_messages() {
  std::vector<std::pair<std::string, message>> out;
  const auto add = [&](const auto& list) {
    for (const auto& [name, what] : list) out.emplace_back(name, message{sample_head(), what});
  };
  add(requests());
  add(answers());
  add(pushes());
  out.emplace_back("moved", message{sample_head(), moved{71, 72, 73, 74, 75}});
  add(controls());
  return out;
}

}  // namespace baraza::cluster::tests
