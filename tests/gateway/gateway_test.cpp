// The bridge before real lobbies on an embedded store, with sessions that only keep what they get.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/lobby.hpp"
#include "cluster/node.hpp"
#include "cluster/services.hpp"
#include "http/gateway_bridge.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::http;

namespace {

/// A table that exists as soon as it is asked for, and does nothing.
class quiet_table final : public actors::entity {
  void restore(std::string_view) override {}
  void fold(std::uint64_t, millis, std::string_view) override {}
  void activated(actors::context&, bool) override {}
  void handle(const actors::request& what, const actors::reply_to& from,
              actors::context& ctx) override {
    if (std::holds_alternative<actors::table_create>(what))
      ctx.reply(from, actors::accepted{1});
    else
      ctx.reply(from, actors::refused{"unknown_table", "It does nothing.", 0});
  }
  void committed(const storage::member_result&, actors::context&) override {}
  void answered(std::uint64_t, const actors::answer&, actors::context&) override {}
  void timer(actors::context&) override {}
};

/// Its first view is overtaken by the push of what came after it; whoever asks again gets that.
class overtaking_table final : public actors::entity {
  void restore(std::string_view) override {}
  void fold(std::uint64_t, millis, std::string_view) override {}
  void activated(actors::context&, bool) override {}
  void handle(const actors::request& what, const actors::reply_to& from,
              actors::context& ctx) override {
    const auto* watch = std::get_if<actors::table_watch>(&what);
    if (watch == nullptr) return;
    if (watch->seq != 0) return ctx.reply(from, actors::table_view{1, 9, 0xFF, true, "\xA6missed"});
    ctx.push_to(from.edge, actors::table_events{match_, 1, 7, 9, {}, {}, true});
    ctx.reply(from, actors::table_view{1, 7, 0xFF, false,
                                       "\xA5"
                                       "first"});
  }
  void committed(const storage::member_result&, actors::context&) override {}
  void answered(std::uint64_t, const actors::answer&, actors::context&) override {}
  void timer(actors::context&) override {}

 public:
  explicit overtaking_table(const uuid& table) : match_{table} {}

 private:
  uuid match_;
};

class player final : public session_sink {
 public:
  explicit player(bridge& to) : to_{to} {}
  void deliver(std::shared_ptr<const std::string> frame) override {
    const std::lock_guard lock{mutex_};
    frames_.push_back(*frame);
  }
  void wake() override {}
  void close(std::uint16_t, std::string_view) override {}

  void join(std::int64_t stake) {
    wire::lobby_join what;
    what.game = "draw";
    what.stake = stake;
    to_.handle(number, {++request_, std::move(what)});
  }
  void watch(const uuid& table) {
    wire::table_watch what;
    what.table = table;
    to_.handle(number, {++request_, std::move(what)});
  }
  /// How many frames hold `text`.
  int count(std::string_view text) {
    const std::lock_guard lock{mutex_};
    int found = 0;
    for (const auto& frame : frames_) found += frame.find(text) != std::string::npos;
    return found;
  }
  bool hears(std::string_view text, int times = 1) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (count(text) < times) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{2});  // polls: with a deadline
    }
    return true;
  }
  session_number number = 0;

 private:
  bridge& to_;
  std::mutex mutex_;
  std::vector<std::string> frames_;
  std::uint64_t request_ = 0;
};

struct edge_and_node {
  edge_and_node() {
    auto opened = storage::open("sqlite:" + folder.path().string());
    REQUIRE(opened);
    store = std::move(*opened);
    REQUIRE(cluster::prepare(*store));
    cluster::node_options options;
    options.stop_node = [](std::string_view) {};
    options.log = [](cluster::severity, std::string_view, std::string_view, std::string_view) {};
    lobbies.grace_ms = 60'000;
    auto started = cluster::node::start(*store, options, [&](const storage::node_grant&) {
      cluster::entity_factory factory;
      factory.make = [&](const entity_id& who) -> std::unique_ptr<actors::entity> {
        if (who.kind == entity_kind::lobby) return actors::make_lobby(who, lobbies);
        if (who.kind == entity_kind::table && tables_overtake)
          return std::make_unique<overtaking_table>(who.key);
        return std::make_unique<quiet_table>();
      };
      return factory;
    });
    REQUIRE(started);
    node = std::move(*started);
    door = make_gateway_bridge(node->system(), node->services(), {});
  }
  std::shared_ptr<player> enter() {
    auto who = std::make_shared<player>(*door);
    who->number = door->attach(uuid::v4(), uuid::v4(), "somebody", who);
    return who;
  }
  bool tables_overtake = false;
  tests::temporary_folder folder;
  actors::lobby_options lobbies;
  std::unique_ptr<storage::store> store;
  std::unique_ptr<cluster::node> node;
  std::unique_ptr<bridge> door;
};

}  // namespace

TEST_CASE("who is matched in one lobby leaves the others", "[gateway]") {
  edge_and_node on;
  const auto torn = on.enter();
  torn->join(100);
  torn->join(200);
  REQUIRE(torn->hears("ok", 2));  // both queues have taken him
  const auto first = on.enter();
  first->join(100);
  REQUIRE(torn->hears("lobby.matched"));
  const auto second = on.enter();
  second->join(200);
  REQUIRE(second->hears("ok"));
  const auto third = on.enter();
  third->join(200);
  REQUIRE(third->hears("lobby.matched"));
  CHECK(second->hears("lobby.matched"));
  CHECK(torn->count("lobby.matched") == 1);
}

TEST_CASE("who is matched leaves the queues that still remember his lost connection", "[gateway]") {
  edge_and_node on;
  const auto self = uuid::v4();
  const auto gone = std::make_shared<player>(*on.door);
  gone->number = on.door->attach(self, uuid::v4(), "somebody", gone);
  gone->join(100);
  gone->join(200);
  REQUIRE(gone->hears("ok", 2));
  on.door->detach(gone->number);
  const auto back = std::make_shared<player>(*on.door);
  back->number = on.door->attach(self, uuid::v4(), "somebody", back);
  const auto first = on.enter();
  first->join(100);
  REQUIRE(back->hears("lobby.matched"));
  on.door->detach(back->number);  // and now for good
  const auto second = on.enter();
  second->join(200);
  REQUIRE(second->hears("ok"));
  const auto third = on.enter();
  third->join(200);
  REQUIRE(third->hears("lobby.matched"));
  CHECK(second->hears("lobby.matched"));
}

TEST_CASE("a push that overtook a session's view is made up for within a second or two",
          "[gateway]") {
  edge_and_node on;
  on.tables_overtake = true;
  const auto watcher = on.enter();
  watcher->watch(uuid::v7(on.node->services()->clock.now()));
  REQUIRE(watcher->hears("first"));
  CHECK(watcher->hears("missed"));  // the subscription's own renewal is 15 s away
}
