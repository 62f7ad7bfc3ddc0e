// The member's port: what travels to the store and to peers.
#include "tests/sim/node.hpp"

namespace baraza::sim {

using namespace cluster;

namespace {
constexpr millis leave_limit_ms = 10'000;
constexpr millis leave_look_ms = 500;
}  // namespace

void node::renew() {
  auto found = std::make_shared<std::optional<storage::renewal>>();
  const auto connection = world_.store_connection(id);
  world_.ask_store(
      id,
      [this, found] {
        *found = world_.store.renew(id, world_.store_now());
        store_seen = 0;
      },
      [this, found, connection] {
        if (!*found) {
          member.renewal_failed(true, clock());
          if (is_edge) expelled();
          return;
        }
        store_clock_ = {clock(), std::max((*found)->now, cluster_now())};
        member.renewed(connection, **found, clock());
      },
      [this] {
        world_.log("node ", id, " could not renew");
        member.renewal_failed(false, clock());
      });
}

void node::read(std::uint64_t) {
  auto seen = std::make_shared<snapshot>();
  world_.ask_store(
      id, [this, seen] { look(*seen); }, [this, seen] { learn_state(*seen); },
      [this] { member.read_failed(); });
}

void node::look(snapshot& out) const {
  out = {world_.store.read(world_.store_now()), world_.store_silences()};
}

void node::learn_state(const snapshot& seen) {
  silences_ = seen.silences;
  member.state(seen.state, clock());
}

void node::become_up() {
  world_.ask_store(
      id, [this] { world_.store.become_up(id, world_.store_now()); }, [this] { read(0); }, [] {});
}

void node::vote(std::uint64_t accused, storage::vote_kind kind) {
  auto seen = std::make_shared<snapshot>();
  world_.ask_store(
      id,
      [this, accused, kind, seen] {
        world_.log("vote of ", id, " against ", accused, " lands");
        world_.store.accuse(id, accused, kind, world_.store_now());
        look(*seen);
      },
      [this, seen] { learn_state(*seen); }, [] {});
}

void node::withdraw(std::uint64_t accused) {
  world_.ask_store(
      id, [this, accused] { world_.store.withdraw(id, accused); }, [] {}, [] {});
}

void node::declare_dead(std::uint64_t version, std::span<const std::uint64_t> dead,
                        std::span<const storage::shard_change> changes) {
  const std::vector who(dead.begin(), dead.end());
  const std::vector rows(changes.begin(), changes.end());
  const auto now = clock();
  for (const auto& s : cluster::count_votes(member.last_state(), member.may_judge(now)))
    world_.log("node ", id, member.may_judge(now) ? ", a judge," : "", " condemns ", s.who, ": ",
               to_string(s.why));
  auto done = std::make_shared<bool>(false);
  world_.ask_store(
      id,
      [this, version, who, rows, done, counted = member.last_state(), silences = silences_] {
        *done = world_.store.declare_dead(id, version, who, rows, world_.store_now());
        if (*done) world_.check_sentence(who, counted, silences);
      },
      [this, rows, done] {
        if (*done) member.buried(rows, clock());
        read(0);
      },
      [] {});
}

// Its players' sockets would stay with it; here they connect anew.
void node::expelled() {
  if (!running) return;
  running = false;
  world_.log("node ", id, " was declared dead and joins again");
  world_.later(1, 0, [w = &world_, called = name] { w->start_node(true, called); });
}

// What a real node does after SIGTERM: it drains, gives up what nobody takes in time, and leaves.
void node::leave() {
  world_.store.set_draining(id, true);
  member.leave();
  leave_by_ = world_.now() + leave_limit_ms;
}

void node::go_on_leaving() {
  if (leave_by_ == 0 || world_.now() < next_leave_) return;
  next_leave_ = world_.now() + leave_look_ms;
  if (!member.shards().is_empty()) {
    if (world_.now() >= leave_by_) member.give_up_shards(clock());
    return;
  }
  auto done = std::make_shared<bool>(false);
  world_.ask_store(
      id, [this, done] { *done = world_.store.leave(id); },
      [this, done] {
        if (*done) stop("left");
      },
      [] {});
}

void node::coordinate() {
  auto epoch = std::make_shared<std::uint64_t>(0);
  world_.ask_store(
      id, [this, epoch] { *epoch = world_.store.coordinate(id, world_.store_now()); },
      [this, epoch] { member.coordinating(*epoch); }, [] {});
}

void node::raise_level(std::uint64_t coordinator_epoch, std::uint16_t level) {
  world_.log("node ", id, " raises the level to ", level);
  world_.level_rises();
  world_.ask_store(
      id,
      [this, coordinator_epoch, level] { world_.store.raise_level(id, coordinator_epoch, level); },
      [this] { read(0); }, [] {});
}

// ---- peers ------------------------------------------------------------------------------------

void node::answer_probe(std::uint64_t asker, std::uint64_t number) {
  const bool is_suspended = !member.may_commit(clock());
  world_.send(id, asker, [who = id, number, is_suspended](node& there) {
    there.member.answered(who, number, is_suspended, there.clock());
  });
}

void node::probe(std::uint64_t target, std::uint64_t number) {
  if (world_.is_refused(id, target))
    return world_.later(1, id,
                        [this, target, number] { member.unreachable(target, number, clock()); });
  world_.send(id, target, [asker = id, number](node& there) { there.answer_probe(asker, number); });
}

// The helper's own probe travels as two messages more; what it finds goes back as one.
void node::ask_helper(const cluster::ask_helper& what) {
  world_.send(id, what.helper, [asker = id, what](node& helper) {
    auto& w = helper.world_;
    if (w.is_refused(helper.id, what.target))
      return w.send(helper.id, asker, [what](node& there) {
        there.member.unreachable(what.target, what.number, there.clock());
      });
    w.send(helper.id, what.target, [asker, what, by = helper.id](node& target) {
      const bool is_suspended = !target.member.may_commit(target.clock());
      target.world_.send(target.id, by, [asker, what, is_suspended](node& helper_again) {
        helper_again.world_.send(helper_again.id, asker, [what, is_suspended](node& there) {
          there.member.answered(what.target, what.number, is_suspended, there.clock());
        });
      });
    });
  });
}

void node::tell_rows(std::span<const storage::shard_row> rows) {
  for (const auto& [other, n] : world_.nodes())
    if (other != id)
      world_.send(id, other, [rows = std::vector(rows.begin(), rows.end())](node& there) {
        for (const auto& row : rows) there.member.row(row, there.clock());
      });
}

void node::greet(std::uint64_t who) {
  world_.send(id, who, [asker = id](node& there) {
    there.world_.send(there.id, asker, [who = there.id](node& here) { here.member.greeted(who); });
  });
}

void node::ask_hand_off(const cluster::ask_hand_off& what) {
  if (what.from == id) return world_.later(0, id, [this, what] { member.hand_off(what, clock()); });
  world_.send(id, what.from, [what](node& there) { there.member.hand_off(what, there.clock()); });
}

}  // namespace baraza::sim
