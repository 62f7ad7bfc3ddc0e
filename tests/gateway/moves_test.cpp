// What an edge does when the owners of its tables and lobbies change (rules E1, E2): the entities
// here only count what they are asked, and the news of a move is told to the gateway by hand.
#include <atomic>
#include <caf/send.hpp>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/node.hpp"
#include "cluster/services.hpp"
#include "http/gateway_bridge.hpp"
#include "tests/storage/temporary_folder.hpp"

using namespace baraza;
using namespace baraza::http;

namespace {

struct asked {
  std::atomic<int> joins{0}, acts{0}, watches{0};
  std::atomic<bool> is_deaf{false};    // as if the node had died with what it was sent
  std::atomic<bool> is_paused{false};  // past its lease: it refuses, and that passes
  std::atomic<bool> ends{false};       // a table's first view is followed by its last event
};

class counting_entity final : public actors::entity {
 public:
  counting_entity(asked& what, const uuid& key) : asked_{what}, key_{key} {}
  void restore(std::string_view) override {}
  void fold(std::uint64_t, millis, std::string_view) override {}
  void activated(actors::context&, bool) override {}
  void handle(const actors::request& what, const actors::reply_to& from,
              actors::context& ctx) override {
    if (std::holds_alternative<actors::lobby_join>(what)) ++asked_.joins;
    if (std::holds_alternative<actors::table_act>(what)) ++asked_.acts;
    const bool is_watch = std::holds_alternative<actors::table_watch>(what);
    if (is_watch) ++asked_.watches;
    if (asked_.is_deaf && !is_watch) return;
    if (asked_.is_paused) return ctx.reply(from, actors::refused{"paused", "Not now.", 100});
    if (!is_watch) return ctx.reply(from, actors::accepted{1});
    ctx.reply(from, actors::table_view{1, 7, 0xFF, false, "\xA4view"});
    if (asked_.ends) ctx.push_to(from.edge, actors::table_events{key_, 1, 7, 8, {}, {}, true});
  }
  void committed(const storage::member_result&, actors::context&) override {}
  void answered(std::uint64_t, const actors::answer&, actors::context&) override {}
  void timer(actors::context&) override {}

 private:
  asked& asked_;
  uuid key_;
};

class listener final : public session_sink {
 public:
  void deliver(std::shared_ptr<const std::string> frame) override {
    const std::lock_guard lock{mutex_};
    frames_.push_back(*frame);
  }
  void wake() override {}
  void close(std::uint16_t, std::string_view) override {}
  int count(std::string_view text) {
    const std::lock_guard lock{mutex_};
    int found = 0;
    for (const auto& frame : frames_) found += frame.find(text) != std::string::npos;
    return found;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> frames_;
};

template <class Holds>
bool eventually(Holds holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});  // polls: with a deadline
  }
  return true;
}

struct one_edge {
  one_edge() {
    auto opened = storage::open("sqlite:" + folder.path().string());
    REQUIRE(opened);
    store = std::move(*opened);
    REQUIRE(cluster::prepare(*store));
    cluster::node_options options;
    options.stop_node = [](std::string_view) {};
    options.log = [](cluster::severity, std::string_view, std::string_view, std::string_view) {};
    auto started = cluster::node::start(*store, options, [&](const storage::node_grant&) {
      cluster::entity_factory factory;
      factory.make = [&](const entity_id& who) {
        return std::make_unique<counting_entity>(seen, who.key);
      };
      return factory;
    });
    REQUIRE(started);
    node = std::move(*started);
    door = make_gateway_bridge(node->system(), node->services(), {});
    number = door->attach(uuid::v4(), uuid::v4(), "somebody", ears);
    table = uuid::v7(node->services()->clock.now());
  }
  void send(wire::client_frame frame) { door->handle(number, std::move(frame)); }
  void watch() {
    wire::table_watch what;
    what.table = table;
    send({++request, std::move(what)});
    REQUIRE(eventually([&] { return ears->count("table.view") >= 1; }));
  }
  void act() {
    wire::table_act what;
    what.table = table;
    what.command = 1;
    what.action = "\x80";
    send({++request, std::move(what)});
  }
  /// As the region tells it.
  void moved(const entity_id& who, bool is_paused = false) {
    const auto& services = *node->services();
    const std::vector<shard_id> shards{services.shard(who)};
    caf::anon_send(
        services.gateway(cluster::own_edge),
        cluster::shards_changed{std::make_shared<const std::vector<shard_id>>(shards), is_paused});
  }
  void table_moved(bool is_paused = false) { moved({entity_kind::table, table}, is_paused); }

  asked seen;
  tests::temporary_folder folder;
  std::unique_ptr<storage::store> store;
  std::unique_ptr<cluster::node> node;
  std::unique_ptr<bridge> door;
  std::shared_ptr<listener> ears = std::make_shared<listener>();
  session_number number = 0;
  std::uint64_t request = 0;
  uuid table;
};

}  // namespace

TEST_CASE("a command that was lost with its node is sent again when the table is elsewhere",
          "[gateway]") {
  one_edge on;
  on.seen.is_deaf = true;
  on.act();
  REQUIRE(eventually([&] { return on.seen.acts == 1; }));
  on.seen.is_deaf = false;
  on.table_moved();
  REQUIRE(eventually([&] { return on.ears->count("ok") == 1; }));
  CHECK(on.seen.acts == 2);
  on.table_moved();  // answered by now: not again
  on.watch();        // behind it in every queue
  CHECK(on.seen.acts == 2);
}

TEST_CASE("other shards' moves repeat nothing", "[gateway]") {
  one_edge on;
  on.seen.is_deaf = true;
  on.act();
  REQUIRE(eventually([&] { return on.seen.acts == 1; }));
  on.seen.is_deaf = false;
  auto other = on.table;
  const auto& services = *on.node->services();
  const auto own = services.shard({entity_kind::table, on.table});
  while (services.shard({entity_kind::table, other}) == own) other = uuid::v4();
  on.moved({entity_kind::table, other});
  on.watch();
  CHECK(on.seen.acts == 1);
}

TEST_CASE("watchers are told once that their table pauses, and once that it is back", "[gateway]") {
  one_edge on;
  on.watch();
  on.table_moved(true);
  on.table_moved(true);
  on.table_moved(false);
  on.table_moved(false);
  REQUIRE(eventually([&] { return on.seen.watches >= 3; }));  // asked for what was missed
  CHECK(on.ears->count("table.paused") == 1);
  CHECK(on.ears->count("table.resumed") == 1);
}

TEST_CASE("a table that has ended is not asked for again when its shard moves", "[gateway]") {
  one_edge on;
  on.seen.ends = true;
  on.watch();
  on.seen.is_deaf = true;
  on.act();  // unanswered, so each move that was heard repeats it
  int heard = 1;
  const auto move_and_wait = [&] {
    on.table_moved();
    ++heard;
    return eventually([&] { return on.seen.acts == heard; });
  };
  REQUIRE(eventually([&] { return on.seen.acts == heard; }));
  int watches = on.seen.watches;
  REQUIRE(eventually([&] {
    if (!move_and_wait()) return false;
    const int before = std::exchange(watches, on.seen.watches.load());
    return before == watches;
  }));
  for (int i = 0; i < 5; ++i) REQUIRE(move_and_wait());
  CHECK(on.seen.watches == watches);
}

TEST_CASE("a pause while a table is watched again takes the table from nobody", "[gateway]") {
  one_edge on;
  on.watch();
  on.seen.is_paused = true;
  on.table_moved();
  REQUIRE(eventually([&] { return on.seen.watches >= 3; }));  // refused, asked again, refused
  on.seen.is_paused = false;
  on.seen.is_deaf = true;
  on.act();
  REQUIRE(eventually([&] { return on.seen.acts == 1; }));
  const int before = on.seen.watches;
  REQUIRE(eventually([&] { return on.seen.watches > before; }));  // and once more: still watched
  CHECK(on.ears->count("table.gone") == 0);
}

TEST_CASE("a lobby that moves has forgotten its queue: tickets are entered again", "[gateway]") {
  one_edge on;
  wire::lobby_join what;
  what.game = "draw";
  what.stake = 100;
  on.send({++on.request, std::move(what)});
  REQUIRE(eventually([&] { return on.ears->count("ok") == 1; }));
  REQUIRE(on.seen.joins == 1);
  const auto& services = *on.node->services();
  std::vector<shard_id> all;
  for (shard_id s = 0; s < services.shards; ++s) all.push_back(s);
  caf::anon_send(
      services.gateway(cluster::own_edge),
      cluster::shards_changed{std::make_shared<const std::vector<shard_id>>(all), false});
  REQUIRE(eventually([&] { return on.seen.joins == 2; }));
  CHECK(on.ears->count("ok") == 1);  // the player hears nothing of it
}
