// The edge's plain classes, on their own clocks.
#include <catch2/catch_test_macros.hpp>

#include "http/access_cache.hpp"
#include "http/address.hpp"
#include "http/auth_tokens.hpp"
#include "http/io_thread.hpp"
#include "http/login_limiter.hpp"
#include "http/rate_limiter.hpp"
#include "http/responses.hpp"
#include "http/router.hpp"
#include "http/tickets.hpp"
#include "tests/http/raw_client.hpp"

using namespace baraza;
using namespace baraza::http;

namespace {
constexpr nanos second = 1'000'000'000;
uuid key(std::uint8_t n) {
  uuid out;
  out.bytes[0] = n;
  return out;
}
address ip(std::string_view text) {
  const auto out = address::parse(text);
  REQUIRE(out);
  return *out;
}
}  // namespace

TEST_CASE("a token bucket gives its burst, then its rate, to the nanosecond", "[limits]") {
  token_bucket b;
  const rate limit{10, 3};
  nanos now = 5 * second;
  for (int i = 0; i < 3; ++i) CHECK(b.take(limit, now) == 0);
  CHECK(b.take(limit, now) == second / 10);
  CHECK(b.take(limit, now + second / 10 - 1) == 1);
  CHECK(b.take(limit, now + second / 10) == 0);
  CHECK(b.take(limit, now) > 0);                     // a clock that goes back gives nothing
  CHECK(b.take(limit, now + 100 * second, 3) == 0);  // long rest: the burst again, no more
  CHECK(b.take(limit, now + 100 * second) > 0);
  CHECK(token_bucket{}.take({0, 1}, now) == 0);
}

TEST_CASE("a limiter forgets the quiet and refuses strangers when it is full of the busy",
          "[limits]") {
  rate_limiter limiter{{1, 1}, 2};
  CHECK(limiter.take(key(1), second) == 0);
  CHECK(limiter.take(key(2), second) == 0);
  CHECK(limiter.take(key(3), second) > 0);
  CHECK(limiter.take(key(3), 10 * second) == 0);
}

TEST_CASE("failed logins double the wait, success forgives", "[limits]") {
  login_limiter limiter{{.tries_per_minute = 100}, 100};
  nanos now = second;
  for (int i = 0; i < 3; ++i) {
    CHECK(limiter.ask(key(1), now) == 0);
    limiter.failed(key(1), now);
  }
  CHECK(limiter.ask(key(1), now) == 2 * second);
  now += 2 * second;
  CHECK(limiter.ask(key(1), now) == 0);
  limiter.failed(key(1), now);
  CHECK(limiter.ask(key(1), now) == 4 * second);
  now += 4 * second;
  limiter.succeeded(key(1));
  CHECK(limiter.ask(key(1), now) == 0);
  for (int i = 0; i < 40; ++i) limiter.failed(key(2), now);
  CHECK(limiter.ask(key(2), now) <= 300 * second);  // never locked out
}

TEST_CASE("five tries a minute, right or wrong", "[limits]") {
  login_limiter limiter{{}, 100};
  for (int i = 0; i < 5; ++i) CHECK(limiter.ask(key(1), second) == 0);
  CHECK(limiter.ask(key(1), second) == 12 * second);
  CHECK(limiter.ask(key(1), 13 * second) == 0);
}

TEST_CASE("a login that ended is not cached again by a read that was on its way", "[auth]") {
  access_cache cache{2, 1000};
  storage::digest a{}, b{};
  b[0] = 1;
  const caller who{key(1), key(9), "x", 5000, 9000};
  cache.put(a, who, 0);
  CHECK(cache.find(a, 999));
  CHECK_FALSE(cache.find(a, 1000));
  cache.put(a, who, 1000);
  cache.put(b, who, 1000);  // refreshed: the old token goes
  CHECK_FALSE(cache.find(a, 1001));
  CHECK(cache.find(b, 1001));
  cache.end(key(9), 1001);
  CHECK_FALSE(cache.find(b, 1001));
  cache.put(b, who, 1002);
  CHECK_FALSE(cache.find(b, 1002));
  CHECK(cache.is_ended(who));
}

TEST_CASE("tickets are single, short and bounded", "[auth]") {
  tickets desk{2, 30'000};
  const caller who{key(1), key(2), "x", 0, 0};
  const auto a = desk.issue(who, 0), b = desk.issue(who, 0);
  CHECK(desk.issue(who, 0).empty());
  CHECK(desk.redeem(a, 1)->player == key(1));
  CHECK_FALSE(desk.redeem(a, 1));
  CHECK_FALSE(desk.redeem(b, 30'000));
  CHECK_FALSE(desk.redeem("bzt_", 0));
  CHECK_FALSE(desk.issue(who, 30'001).empty());
}

TEST_CASE("tokens are long, different and recognised by shape", "[auth]") {
  const auto a = tokens::make(tokens::access_prefix), b = tokens::make(tokens::access_prefix);
  CHECK(a.size() == tokens::length);
  CHECK(a != b);
  CHECK(tokens::digest_of(tokens::access_prefix, a));
  CHECK_FALSE(tokens::digest_of(tokens::refresh_prefix, a));
  CHECK_FALSE(tokens::digest_of(tokens::access_prefix, a + "x"));
  CHECK(tokens::bearer("bEARER abc") == "abc");
  CHECK(tokens::bearer("Basic abc").empty());
}

TEST_CASE("addresses are counted by customer and forwarded ones are believed from proxies only",
          "[limits]") {
  CHECK(ip("10.1.2.3").network() == ip("10.1.2.0"));
  CHECK(ip("2001:db8:1:2:3::9").network().to_string() == "2001:db8:1:2::");
  CHECK(ip("::ffff:10.1.2.3") == ip("10.1.2.3"));
  CHECK(ip("127.0.0.9").is_loopback());
  CHECK(ip("::1").is_loopback());
  CHECK_FALSE(ip("10.0.0.1").is_loopback());
  const std::vector<address_range> proxies{*address_range::parse("10.0.0.0/8"),
                                           *address_range::parse("fd00::/8")};
  CHECK(client_address(ip("9.9.9.9"), "1.1.1.1", proxies) == ip("9.9.9.9"));
  CHECK(client_address(ip("10.0.0.1"), "6.6.6.6, 1.1.1.1", proxies) == ip("1.1.1.1"));
  CHECK(client_address(ip("fd00::1"), "1.1.1.1,10.0.0.2", proxies) == ip("1.1.1.1"));
  CHECK(client_address(ip("10.0.0.1"), "nonsense", proxies) == ip("10.0.0.1"));
  CHECK(client_address(ip("10.0.0.1"), "", proxies) == ip("10.0.0.1"));
  for (const auto* bad : {"10.0.0.0/33", "x", "10.0.0.0/", "::/129", "10.0.0.0/8x"})
    CHECK_FALSE(address_range::parse(bad));
}

TEST_CASE("patterns fit whole paths", "[routes]") {
  std::vector<std::string> parts;
  CHECK(fits("/v1/matches/{id}/proof", "/v1/matches/abc/proof", &parts));
  CHECK(parts == std::vector<std::string>{"abc"});
  CHECK_FALSE(fits("/v1/matches/{id}", "/v1/matches/", nullptr));
  CHECK_FALSE(fits("/v1/matches/{id}", "/v1/matches/a/b", nullptr));
  CHECK_FALSE(fits("/v1/matches/{id}/proof", "/v1/matches/a", nullptr));
  CHECK_FALSE(fits("/v1/matches/{id}", "/v1/matches/" + std::string(65, 'a'), nullptr));
}

TEST_CASE("request ids are echoed only if they cannot forge a log line", "[routes]") {
  CHECK(sane_request_id("a-B_c.9") == "a-B_c.9");
  for (const auto& bad :
       {std::string{}, std::string{"a b"}, std::string{"a\"b"}, std::string(65, 'a')})
    CHECK(sane_request_id(bad).size() == 24);
}

TEST_CASE("a deadline on the wheel is never early, follows changes and dies with its owner",
          "[edge]") {
  struct probe final : timed {
    void expired() override { at = steady(); }
    void farewell() override {}
    static std::int64_t steady() {
      return std::chrono::steady_clock::now().time_since_epoch().count() / 1'000'000;
    }
    std::atomic<std::int64_t> at{0};
  };
  io_thread thread;
  thread.start();
  auto sooner = std::make_shared<probe>(), later = std::make_shared<probe>(),
       off = std::make_shared<probe>(), dead = std::make_shared<probe>();
  const auto start = probe::steady();
  thread.post([&] {
    thread.arm(sooner, std::chrono::milliseconds{60'000});
    thread.arm(sooner, std::chrono::milliseconds{150});  // moved forward
    thread.arm(later, std::chrono::milliseconds{50});
    thread.arm(later, std::chrono::milliseconds{400});  // moved back
    thread.arm(off, std::chrono::milliseconds{100});
    io_thread::disarm(*off);
    thread.arm(dead, std::chrono::milliseconds{100});
    dead.reset();
  });
  REQUIRE(tests::eventually([&] { return later->at != 0 && sooner->at != 0; }));
  CHECK(sooner->at - start >= 150);
  CHECK(later->at - start >= 400);
  CHECK(off->at == 0);
  thread.stop();
}
