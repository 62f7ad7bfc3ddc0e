#include "cluster/link/handshake.hpp"

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace baraza::cluster;

link_identity self() {
  return {.cluster = "nairobi", .name = "b", .incarnation = 5, .shards = 1024, .system_id = "s1"};
}
hello good() {
  auto from = self();
  from.name = "a";
  from.incarnation = 3;
  return {from, "b", 5};
}

}  // namespace

TEST_CASE("a hello of the same cluster is welcome, and any difference is said in words") {
  CHECK(judge(good(), self(), {}).why == refusal::none);
  CHECK(judge(good(), self(), 3).why == refusal::none);
  CHECK(judge(good(), self(), 2).why == refusal::none);  // a new life of a known node
  const auto check = [](auto change, refusal why, const char* word) {
    auto h = good();
    change(h);
    const auto answer = judge(h, self(), 3);
    CAPTURE(answer.sentence);
    CHECK(answer.why == why);
    CHECK(answer.sentence.find(word) != std::string::npos);
  };
  check([](hello& h) { h.from.cluster = "kisumu"; }, refusal::cluster, "kisumu");
  check([](hello& h) { h.from.system_id = "s2"; }, refusal::store, "s2");
  check([](hello& h) { h.from.shards = 512; }, refusal::shards, "512");
  check([](hello& h) { h.from.name = "b"; }, refusal::same_name, "name");
  check([](hello& h) { h.to_name = "c"; }, refusal::wrong_node, "node c");
  check([](hello& h) { h.to_incarnation = 4; }, refusal::wrong_incarnation, "incarnation 4");
  check([](hello& h) { h.from.incarnation = 2; }, refusal::stale, "over");
}

TEST_CASE(
    "versions that overlap speak the newest both know; newer-only and older-only are refused") {
  auto me = self();
  me.protocol_oldest = 2;
  me.protocol_newest = 3;
  auto h = good();
  const auto range = [&](std::uint32_t oldest, std::uint32_t newest) {
    h.from.protocol_oldest = oldest;
    h.from.protocol_newest = newest;
    return judge(h, me, {});
  };
  CHECK(range(1, 2).protocol == 2);
  CHECK(range(3, 7).protocol == 3);
  CHECK(range(2, 3).protocol == 3);
  CHECK(range(4, 7).why == refusal::protocol);
  CHECK(range(1, 1).why == refusal::protocol);
}

TEST_CASE("hellos and verdicts survive the way, cut ones and strangers' do not") {
  const auto h = good();
  const auto bytes = encode(h);
  CHECK(bytes.size() < handshake_bytes_max);
  const auto again = decode_hello(bytes);
  REQUIRE(again);
  CHECK(encode(*again) == bytes);
  CHECK(again->from.name == "a");
  CHECK(again->to_incarnation == 5);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(decode_hello(std::string_view{bytes}.substr(0, size)));
  CHECK_FALSE(decode_hello("GET / HTTP/1.1\r\n\r\n"));
  auto other = bytes;
  other[other.find("baraza-link")] = 'B';
  CHECK_FALSE(decode_hello(other));
  auto longest = good();
  longest.from.name = std::string(64, 'n');
  CHECK_FALSE(decode_hello(encode(longest)));

  const auto v = judge(h, self(), 9);
  const auto said = decode_verdict(encode(v));
  REQUIRE(said);
  CHECK(said->why == refusal::stale);
  CHECK(said->sentence == v.sentence);
  CHECK_FALSE(decode_verdict(""));
}
