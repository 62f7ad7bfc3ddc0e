#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/scoped_actor.hpp>
#include <catch2/catch_test_macros.hpp>

#include "cluster/certs/certs.hpp"
#include "cluster/link/inbox.hpp"
#include "tests/cluster/link/link_fixture.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza::cluster;
using tests::in;
using tests::quick_options;
using tests::test_node;
using namespace std::chrono_literals;

namespace {

struct authority {
  baraza::tests::temporary_folder folder;
  authority() { REQUIRE(certs::init(folder.path() / "ca", "nairobi").empty()); }
  [[nodiscard]] std::filesystem::path ca() const { return folder.path() / "ca"; }
  link_certificates issue(const std::string& name) const {
    const auto out = folder.path() / ("of-" + name);
    REQUIRE(certs::issue(ca(), {name, {"127.0.0.1"}, out}).empty());
    return {out / "ca.pem", out / (name + ".pem"), out / (name + ".key")};
  }
};

link_options secured(const std::string& name, link_certificates files) {
  auto out = quick_options(name);
  out.tls = std::move(files);
  return out;
}

}  // namespace

TEST_CASE("nodes with certificates of one authority talk") {
  authority ca;
  test_node a{secured("a", ca.issue("a"))}, b{secured("b", ca.issue("b"))};
  join(a, b);
  a->send("b", std::string(500'000, 'x'), in(5s), 1);
  b->send("a", "hello", in(5s), 1);
  CHECK(b.saw("got a 500000"));
  CHECK(a.saw("got b hello"));
}

TEST_CASE("a certificate of another authority, none at all, and plain TCP get nowhere") {
  authority ours, theirs;
  test_node a{secured("a", ours.issue("a"))};
  test_node stranger{secured("b", theirs.issue("b"))}, plain{quick_options("c")};
  stranger->set_peers({a.as_peer()});
  plain->set_peers({a.as_peer()});
  a->set_peers({stranger.as_peer(), plain.as_peer()});
  CHECK(stranger.saw("link.dial_failed to a"));
  CHECK(plain.saw("link.dial_failed to a"));
  CHECK(a.saw("link.dial_failed to b: TLS: the peer's certificate"));
  CHECK(a.saw("link.dial_failed to c"));
  CHECK(a.saw("link.stranger"));
  CHECK(a.count("up ") + stranger.count("up ") + plain.count("up ") == 0);
}

TEST_CASE("a node cannot call itself by another's name") {
  authority ca;
  const auto of_b = ca.issue("b");
  test_node a{secured("a", ca.issue("a"))}, liar{secured("c", of_b)};
  liar->set_peers({a.as_peer()});
  CHECK(a.saw("the certificate shown is not for node c"));
  CHECK(liar.saw("refused: the certificate shown is not for node c"));
  a->set_peers({liar.as_peer()});
  CHECK(a.saw("the certificate at this address is not for node c"));
  CHECK(a.count("up ") == 0);
}

TEST_CASE("files that do not fit are said at the start") {
  authority ca;
  auto files = ca.issue("a");
  files.key = ca.issue("b").key;
  CHECK(std::holds_alternative<std::string>(link::start(secured("a", files), {})));
  files.ca = "/nonexistent";
  const auto made = link::start(secured("a", files), {});
  REQUIRE(std::holds_alternative<std::string>(made));
  CHECK(std::get<std::string>(made).find("/nonexistent") != std::string::npos);
}

TEST_CASE("authority and certificates change while nodes talk, and old ones end with the overlap") {
  authority ca;
  const auto of_a = ca.issue("a"), of_b = ca.issue("b");
  test_node a{secured("a", of_a)}, b{secured("b", of_b)};
  join(a, b);
  REQUIRE(certs::rotate(ca.ca()).empty());
  for (const auto* files : {&of_a, &of_b})
    std::filesystem::copy_file(ca.ca() / "ca.pem", files->ca,
                               std::filesystem::copy_options::overwrite_existing);
  REQUIRE(a->reload_certificates().empty());
  REQUIRE(b->reload_certificates().empty());
  ca.issue("a");  // only a has its new certificate: both trust both
  REQUIRE(a->reload_certificates().empty());
  a->set_peers({});
  b->set_peers({});
  REQUIRE(a.saw("down out b"));
  a.forget();
  b.forget();
  join(a, b);
  REQUIRE(certs::finish(ca.ca()).empty());
  std::filesystem::copy_file(ca.ca() / "ca.pem", of_a.ca,
                             std::filesystem::copy_options::overwrite_existing);
  REQUIRE(a->reload_certificates().empty());
  test_node late{secured("b", of_b)};  // its certificate is still of the old authority
  late->set_peers({a.as_peer()});
  CHECK(late.saw("link.dial_failed to a"));
  CHECK(late.count("up ") == 0);
}

TEST_CASE("an inbox actor gets what happens as messages, in order") {
  caf::init_global_meta_objects<caf::id_block::baraza_link>();
  caf::core::init_global_meta_objects();
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto made = link::start(quick_options("a"), events_to(caf::actor{self}, nullptr));
  auto& a = *std::get<0>(made);
  test_node b{quick_options("b")};
  b->set_peers({{"a", 1, "127.0.0.1", a.port()}});
  a.set_peers({b.as_peer()});
  std::string story;
  const auto until = [&](const std::string& end) {
    for (const auto limit = in(10s); !story.ends_with(end) && in(0s) < limit;)
      self->receive(
          [&](const link_up& m) { story += m.direction == link_direction::incoming ? "+i" : "+o"; },
          [&](const link_down& m) {
            story += m.direction == link_direction::incoming ? "-i" : "-o";
          },
          [&](const frame_in& m) { story += m.name + m.bytes; },
          [&](const frame_lost& m) { story += "!" + std::to_string(m.owner); },
          caf::after(10s) >> [&] { story += "nothing"; });
    return story.ends_with(end);
  };
  REQUIRE(b.saw("up out a"));
  b->send("a", "1", in(1s), 1);
  b->send("a", "2", in(1s), 1);
  CHECK(until("b2"));
  CHECK(story.find("+i") < story.find("b1"));
  a.stop();
}
