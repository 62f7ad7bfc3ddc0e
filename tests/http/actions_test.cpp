// Classes of a player's actions: each has its allowance per account, and none eats another's.
#include <catch2/catch_test_macros.hpp>

#include "http/action_class.hpp"
#include "tests/http/edge_fixture.hpp"

using namespace baraza;
using namespace baraza::http;
using namespace baraza::http::tests;

namespace {

constexpr int text = 1;
constexpr std::string_view json = "baraza.v1.json";

std::string message(std::string_view type, int id) {
  std::string out = R"({"t":")" + std::string{type} + R"(","id":)" + std::to_string(id);
  if (type == "lobby.join") return out + R"(,"game":"draw","stake":500})";
  out += R"(,"table":"0190a000-0000-7000-8000-000000000001")";
  if (type == "table.open")
    return out + R"(,"seed":"61","salt":"00112233445566778899aabbccddeeff"})";
  return out + R"(,"command":1)" + (type == "table.act" ? R"(,"action":{}})" : "}");
}
/// Sends `times` of them at once. @returns how many were not refused for their rate
int allowed(raw_client& at, std::string_view type, int& id, int times) {
  for (int i = 0; i < times; ++i) at.send_frame(text, message(type, ++id));
  int out = 0;
  for (int i = 0; i < times; ++i) {
    const auto said = at.read_message();
    if (text_in(said, "code") != "rate_limited")
      ++out;
    else
      CHECK(said.find("\"retry_ms\":") != std::string::npos);
  }
  return out;
}

}  // namespace

TEST_CASE("joins and actions that move stakes have allowances of their own, and moves go on",
          "[edge][limits]") {
  auto o = server::quick();
  o.join_rate = o.stake_rate = {1, 3};
  server s{o};
  auto client = s.play(json);
  int id = 0, passed = 0;
  for (const auto& [type, reason] :
       {std::pair{"lobby.join", "join_rate"}, std::pair{"table.open", "stake_rate"},
        std::pair{"table.concede", "stake_rate"}}) {
    CAPTURE(type);
    const auto metric = "baraza_edge_refused_total{reason=\"" + std::string{reason} + "\"}";
    const auto before = s.metric(metric);
    const int some = allowed(client, type, id, 60);
    CHECK(some < 60);
    CHECK(s.metric(metric) == before + 60 - static_cast<unsigned>(some));
    for (int i = 0; i < 20; ++i) passed += allowed(client, "table.act", id, 1);
  }
  CHECK(passed == 60);
}

TEST_CASE("an account's connections share its joins, other accounts have their own",
          "[edge][limits]") {
  auto o = server::quick();
  o.join_rate = {1, 2};
  server s{o};
  const auto token = s.guest();
  auto a = s.connect(), b = s.connect(), other = s.play(json);
  REQUIRE(a.upgrade(token, json).status == 101);
  REQUIRE(b.upgrade(token, json).status == 101);
  REQUIRE(eventually([&] { return s.actors.sessions() == 3; }));
  int a_id = 0, b_id = 0, other_id = 0, all = 0;
  for (int i = 0; i < 60; ++i) {
    a.send_frame(text, message("lobby.join", ++a_id));
    b.send_frame(text, message("lobby.join", ++b_id));
  }
  for (auto* one : {&a, &b})
    for (int i = 0; i < 60; ++i) all += text_in(one->read_message(), "code") != "rate_limited";
  CHECK(all >= 2);
  CHECK(all < 60);  // fewer than one of them would have sent
  CHECK(allowed(other, "lobby.join", other_id, 2) == 2);
}

TEST_CASE("a refused join comes through after the time it was told to wait", "[edge][limits]") {
  token_bucket bucket;
  const auto rate = within({2, 2}, limits::joins_per_s_max);
  CHECK(bucket.take(rate, 0) == 0);
  CHECK(bucket.take(rate, 0) == 0);
  const auto wait = bucket.take(rate, 0);
  CHECK(wait == 500'000'000);
  CHECK(bucket.take(rate, wait - 1) == 1);
  CHECK(bucket.take(rate, wait) == 0);
}

TEST_CASE("no option lifts the hard limit of a class of actions", "[edge][limits]") {
  constexpr std::uint32_t most = 20;
  for (const rate& asked : {rate{0, 1}, rate{0, 1'000}, rate{21, 41}, rate{1'000'000, 1'000'000}}) {
    CHECK(within(asked, most).per_second == most);
    CHECK(within(asked, most).burst <= 2 * most);
    CHECK(within(asked, most).burst >= 1);
  }
  CHECK(within({5, 10}, most).per_second == 5);
  CHECK(within({5, 10}, most).burst == 10);

  auto o = server::quick();
  o.join_rate = {0, 1'000'000};
  server s{o};
  auto client = s.play(json);
  for (int id = 1; id <= 300; ++id) client.send_frame(text, message("lobby.join", id));
  CHECK(eventually(
      [&] { return s.metric("baraza_edge_refused_total{reason=\"join_rate\"}") > 100; }));
}

TEST_CASE("only joins, and what takes or pays stakes, are classes of their own", "[edge][limits]") {
  const std::pair<wire::client_message, action_class> all[] = {
      {wire::hello{}, action_class::plain},       {wire::ping{}, action_class::plain},
      {wire::lobby_join{}, action_class::join},   {wire::lobby_leave{}, action_class::plain},
      {wire::table_watch{}, action_class::plain}, {wire::table_unwatch{}, action_class::plain},
      {wire::table_ready{}, action_class::plain}, {wire::table_open{}, action_class::stake},
      {wire::table_act{}, action_class::plain},   {wire::table_concede{}, action_class::stake},
      {wire::wallet_get{}, action_class::plain}};
  CHECK(std::size(all) == std::variant_size_v<wire::client_message>);
  for (const auto& [message, its] : all) {
    CAPTURE(message.index());
    CHECK(class_of(message) == its);
  }
}
