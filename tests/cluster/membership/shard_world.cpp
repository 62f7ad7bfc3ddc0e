#include "tests/cluster/membership/shard_world.hpp"

#include <algorithm>

namespace baraza::cluster {

using std::chrono::milliseconds;
using storage::member_status;

namespace {
template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
constexpr std::int64_t lease_ms = 5000;
}  // namespace

shard_world::shard_world(std::uint64_t seed, std::uint32_t shards, bug with)
    : random_{seed}, bug_{with} {
  for (shard_id s = 0; s < shards; ++s) rows_.push_back({.id = s});
  at(now_ + 500ms, 0, [this] { expire_leases(); });
}

void shard_world::at(time_point when, std::uint64_t whom, std::function<void()> what) {
  events_.push({when, ++order_, whom, std::move(what)});
}

void shard_world::after(std::int64_t most, std::uint64_t whom, std::function<void()> what) {
  at(now_ + milliseconds{tests::pick(random_, 1, most)}, whom, std::move(what));
}

void shard_world::note(std::uint64_t what) { trace_ = (trace_ ^ what) * 0x100000001B3ull + what; }

void shard_world::join() {
  const auto id = next_id_++;
  nodes_[id] = std::make_unique<node>(id, static_cast<std::uint32_t>(rows_.size()));
  members_[id] = {.incarnation = id,
                  .zone = "z" + std::to_string(id % 2),
                  .weight = static_cast<std::uint32_t>(tests::pick(random_, 1, 2)),
                  .status = member_status::up};
  renewed_[id] = now_;
  ++version_;
  play(*nodes_[id]);
  refresh(*nodes_[id]);
}

void shard_world::run_for(milliseconds length) {
  const auto until = now_ + length;
  while (violation_.empty() && !events_.empty() && events_.top().at <= until) {
    auto next = events_.top();
    events_.pop();
    now_ = next.at;
    if (next.node != 0) {
      const auto found = nodes_.find(next.node);
      if (found == nodes_.end() || !found->second->running) continue;
      if (found->second->paused_until > now_) {
        at(found->second->paused_until, next.node, std::move(next.what));
        continue;
      }
    }
    next.what();
    check_beliefs();
  }
  now_ = until;
}

void shard_world::check_beliefs() {
  std::map<std::pair<shard_id, std::uint64_t>, std::uint64_t> believers;
  for (const auto& [id, n] : nodes_) {
    if (!n->running) continue;
    for (shard_id s = 0; s < rows_.size(); ++s) {
      const auto epoch = n->keeper.epoch_of(s);
      if (epoch == 0) continue;
      if (!believers.emplace(std::pair{s, epoch}, id).second)
        violation_ = "two owners of shard " + std::to_string(s) + " in one epoch";
      if (epoch > rows_[s].epoch) violation_ = "an epoch that the store has not given";
    }
  }
}

storage::cluster_state shard_world::snapshot() {
  storage::cluster_state state{.version = version_, .shards = rows_};
  state.now = std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()).count();
  for (const auto& [id, m] : members_) state.members.push_back(m);
  return state;
}

// ---- what nodes do

void shard_world::carry_out(node& n, shard_keeper::actions actions) {
  for (auto& action : actions) {
    note(n.id * 16 + action.index());
    std::visit(overloaded{[&](const take_shard& a) { do_take(n, a); },
                          [&](const open_gate& a) {
                            if (!n.gate.open(a.shard, a.epoch))
                              violation_ = "a gate opened over a flight";
                            after(20, n.id, [this, &n, a] {
                              carry_out(n, n.keeper.wakes_loaded(a.shard, a.epoch));
                            });
                          },
                          [&](const serve_shard&) {},
                          [&](const stop_entities& a) {
                            if (a.at_once || chance(5)) return;  // hangs: the limit must end it
                            after(50, n.id, [this, &n, a] {
                              carry_out(n, n.keeper.entities_stopped(a.shard, a.epoch));
                            });
                          },
                          [&](const close_gate& a) { close_gate_of(n, a); },
                          [&](const release_shard& a) { do_release(n, a); },
                          [&](const announce_row& a) {
                            ++moves_;
                            const auto to = a.row.owner != 0 ? a.row.owner : a.row.next_owner;
                            if (chance(30) || !nodes_.contains(to)) return;
                            after(30, to, [this, a, &taker = *nodes_.at(to)] {
                              carry_out(taker, taker.keeper.row(a.row, now_));
                            });
                          },
                          [&](const stop_node&) {
                            if (is_member(n.id))
                              violation_ = "a member lost a shard it had not released";
                            n.running = false;
                          }},
               action);
  }
}

void shard_world::close_gate_of(node& n, const close_gate& what) {
  const bool empty = n.gate.close(what.shard);
  if (empty || bug_ == bug::release_before_flight)
    carry_out(n, n.keeper.gate_empty(what.shard, what.epoch, now_));
}

void shard_world::store_operation(node& n, shard_id shard, const std::function<void()>& change) {
  const auto answer = [this, &n, shard] { carry_out(n, n.keeper.row(rows_[shard], now_)); };
  const auto failed = [this, &n, shard] {
    n.keeper.store_failed(shard, now_);
    at(now_ + release_retry, n.id, [this, &n] { carry_out(n, n.keeper.tick(now_)); });
  };
  if (chance(10)) return after(100, n.id, failed);  // refused: nothing happened
  if (chance(15)) {                                 // lost: lands some time, or never
    if (chance(70)) after(4000, 0, change);
    return after(300, n.id, failed);
  }
  after(20, 0, [this, &n, change, answer] {
    change();
    after(10, n.id, answer);
  });
}

void shard_world::do_take(node& n, const take_shard& what) {
  store_operation(n, what.shard, [this, id = n.id, what] {
    auto& row = rows_[what.shard];
    if (!is_member(id) || row.owner != 0 || row.epoch != what.epoch) return;
    row = {what.shard, id, what.epoch + 1, 0, snapshot().now};
    ++version_;
  });
}

void shard_world::do_release(node& n, const release_shard& what) {
  store_operation(n, what.shard, [this, id = n.id, what] {
    auto& row = rows_[what.shard];
    if (!is_member(id) || row.owner != id || row.epoch != what.epoch) return;
    const auto taker = members_.find(what.to);
    const bool is_given =
        taker != members_.end() && taker->second.status == member_status::up && !chance(20);
    row = is_given ? storage::shard_row{what.shard, what.to, what.epoch + 1, 0, snapshot().now}
                   : storage::shard_row{what.shard, 0, what.epoch, what.to, snapshot().now};
    ++version_;
  });
  if (bug_ == bug::reopen_in_place) {  // believes a read instead of waiting for the outcome
    n.keeper.~shard_keeper();
    new (&n.keeper) shard_keeper{n.id, static_cast<std::uint32_t>(rows_.size())};
    n.gate = gate_shards{static_cast<std::uint32_t>(rows_.size())};
    for (const auto& row : rows_) carry_out(n, n.keeper.row(row, now_));
  }
}

void shard_world::play(node& n) {
  for (int i = 0; i < 3; ++i) {
    const auto s = static_cast<shard_id>(tests::pick(random_, 0, std::ssize(rows_) - 1));
    if (n.keeper.epoch_of(s) != 0) commit(n, s, n.keeper.epoch_of(s));
  }
  if (is_member(n.id)) renewed_[n.id] = now_;
  carry_out(n, n.keeper.tick(now_));
  at(now_ + milliseconds{tests::pick(random_, 5, 40)}, n.id, [this, &n] { play(n); });
}

void shard_world::commit(node& n, shard_id shard, std::uint64_t epoch) {
  if (n.gate.admit(shard, epoch) != gate_shards::verdict::take) return;
  const auto lands = [this, id = n.id, shard, epoch] {
    if (!is_member(id) && bug_ != bug::no_fence) return;  // its fence rows are closed
    const auto& row = rows_[shard];
    if (row.owner != id || row.epoch != epoch)
      violation_ = "a commit landed in shard " + std::to_string(shard) + " after its owner let go";
    const auto [writer, first] = writers_.emplace(std::pair{shard, epoch}, id);
    if (writer->second != id) violation_ = "two writers in one epoch";
    ++commits_;
  };
  if (chance(5)) {  // unknown: it lands late or never, and then its writer learns which (rule A4)
    const auto resolved = tests::pick(random_, 50, 3000);
    if (chance(50)) at(now_ + milliseconds{tests::pick(random_, 1, resolved - 1)}, 0, lands);
    at(now_ + milliseconds{resolved}, n.id, [this, &n, shard, epoch] { settle(n, shard, epoch); });
    return;
  }
  const auto landed = now_ + milliseconds{tests::pick(random_, 1, 30)};
  at(landed, 0, lands);
  at(landed + milliseconds{tests::pick(random_, 1, 10)}, n.id,
     [this, &n, shard, epoch] { settle(n, shard, epoch); });
}

void shard_world::settle(node& n, shard_id shard, std::uint64_t epoch) {
  if (n.gate.settled(shard)) carry_out(n, n.keeper.gate_empty(shard, epoch, now_));
}

void shard_world::refresh(node& n) {
  const auto state = snapshot();
  after(600, n.id, [this, &n, state] {  // as old as its way back; later ones may overtake it
    n.view.apply(state);
    for (const auto& row : state.shards) carry_out(n, n.keeper.row(row, now_));
    for (const auto& heir : heirs_of(state))
      if (heir.who == n.id) carry_out(n, n.keeper.claim(heir.shard, heir.epoch, now_));
  });
  // A coordinator that does not know it was replaced goes on for a while.
  if (coordinator_ == n.id || chance(5)) coordinate(n);
  at(now_ + milliseconds{tests::pick(random_, 100, 400)}, n.id, [this, &n] { refresh(n); });
}

void shard_world::coordinate(node& n) {
  const auto epoch = coordinator_ == n.id ? coordinator_epoch_ : coordinator_epoch_ - 1;
  for (const auto& ask : n.balance.tick(snapshot(), epoch, now_)) {
    const auto found = nodes_.find(ask.from);
    if (found == nodes_.end() || chance(20)) continue;
    for (int copies = chance(10) ? 2 : 1; copies > 0; --copies)
      after(50, ask.from, [this, ask, &owner = *found->second] {
        shard_keeper::actions out;
        owner.keeper.hand_off(ask.shard, ask.epoch, ask.to, ask.coordinator_epoch, now_, out);
        carry_out(owner, std::move(out));
      });
  }
}

// ---- what the store and the world do

void shard_world::declare_dead(std::uint64_t who) {
  if (!is_member(who)) return;
  const std::uint64_t dead[] = {who};
  const auto changes = reassign(snapshot(), dead);
  members_.erase(who);
  for (const auto& change : changes) {
    auto& row = rows_[change.shard];
    row = {change.shard, change.to, row.epoch + (change.to != 0 ? 1 : 0), 0, snapshot().now};
  }
  if (coordinator_ == who) coordinator_ = 0;
  ++version_;
  note(who);
}

void shard_world::expire_leases() {
  auto until = renewed_;
  for (const auto& [id, last] : until)
    if (is_member(id) && now_ - last > milliseconds{lease_ms}) declare_dead(id);
  if (coordinator_ == 0 && !members_.empty()) {
    auto next = members_.begin();
    std::advance(next, tests::pick(random_, 0, std::ssize(members_) - 1));
    coordinator_ = next->first;
    ++coordinator_epoch_;
  }
  at(now_ + 500ms, 0, [this] { expire_leases(); });
}

void shard_world::act_at_random() {
  if (nodes_.empty() || (members_.size() < 6 && chance(25))) return join();
  auto chosen = nodes_.begin();
  std::advance(chosen, tests::pick(random_, 0, std::ssize(nodes_) - 1));
  auto& n = *chosen->second;
  switch (tests::pick(random_, 0, 5)) {
    case 0:  // killed; seen dead at once, or by its lease
      if (members_.size() < 2) return;
      n.running = false;
      if (chance(60)) declare_dead(n.id);
      break;
    case 1:
      n.paused_until = now_ + milliseconds{tests::pick(random_, 50, 9000)};
      break;
    case 2:  // declared dead in error: a zombie that still runs
      if (members_.size() >= 2) declare_dead(n.id);
      break;
    case 3:
    case 4:
      if (is_member(n.id)) {
        auto& status = members_.at(n.id).status;
        status = status == member_status::up ? member_status::draining : member_status::up;
        ++version_;
      }
      break;
    default:
      coordinator_ = 0;
  }
}

void shard_world::heal() {
  faults_ = false;
  for (auto& [id, n] : nodes_) n->paused_until = {};
  for (auto& [id, m] : members_) m.status = member_status::up;
  ++version_;
  if (members_.empty()) join();
}

std::string shard_world::why_not_whole() const {
  for (const auto& row : rows_) {
    const auto shard = "shard " + std::to_string(row.id);
    if (row.owner == 0) return shard + " is nobody's";
    const auto found = nodes_.find(row.owner);
    if (!is_member(row.owner) || !found->second->running) return shard + " belongs to the dead";
    const auto& keeper = found->second->keeper;
    if (keeper.phase_of(row.id) != shard_phase::open || keeper.epoch_of(row.id) != row.epoch)
      return shard + " is " + std::string{to_string(keeper.phase_of(row.id))} + " at its owner";
  }
  return {};
}

}  // namespace baraza::cluster
