#include "tests/sim/node.hpp"

#include <algorithm>

namespace baraza::sim {

using namespace cluster;
using std::chrono::milliseconds;
using storage::errc;

namespace {
template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
constexpr millis tick_ms = 50;
constexpr millis impeded_ms = 1'500;

millis to_millis(std::chrono::steady_clock::time_point at) {
  return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}
constexpr std::size_t held_per_shard_max = 64;
}  // namespace

node::node(world& w, std::uint64_t self, bool edge, std::string called)
    : id{self},
      is_edge{edge},
      name{std::move(called)},
      world_{w},
      skew_{w.pick(0, 100'000'000)},
      drift_ppm_{w.pick(-300, 300)},
      started_{w.now()},
      member{self, w.options.shards, {.owns_shards = !edge}, *this, clock()},
      entities{w, *this},
      gate_{w.options.shards} {
  if (w.options.with == bug::lease_massacre) member.judge_always();
  store_clock_ = {clock(), w.store_now()};
  world_.later(1, id, [this] { tick(); });
}

std::chrono::steady_clock::time_point node::clock() const {
  const auto passed = world_.now() - started_;
  return std::chrono::steady_clock::time_point{
      std::chrono::hours{1} + milliseconds{skew_ + passed + passed * drift_ppm_ / 1'000'000}};
}

millis node::cluster_now() const {
  const auto since = std::chrono::duration_cast<milliseconds>(clock() - store_clock_->first);
  return store_clock_->second + since.count();
}

void node::tick() {
  impeded_at_ = impeded_at();
  ticked_at_ = world_.now();
  reach.tick(to_millis(clock()), cluster_now());
  member.tick(clock());
  if (!running) return;
  go_on_leaving();
  if (!running) return;
  look_at_wakes();
  tell_digests();
  if (is_edge) renew_watches();
  world_.later(tick_ms, id, [this] { tick(); });
}

void node::look_at_wakes() {
  for (const auto& [who, at] : std::map{wakes_})
    if (at <= cluster_now() && member.shards().route_of(shard_of(who, world_.options.shards)) ==
                                   shard_keeper::route::deliver)
      entities.wake(who);
  if (world_.now() < next_scan_) return;
  next_scan_ = world_.now() + 30'000;
  if (world_.options.with == bug::forgotten_wake_up) return;
  for (shard_id s = 0; s < world_.options.shards; ++s)
    if (member.shards().phase_of(s) == shard_phase::open) load_wakes(s, 0);
}

void node::load_wakes(shard_id shard, std::uint64_t epoch) {
  auto rows = std::make_shared<std::vector<std::pair<entity_id, millis>>>();
  world_.ask_store(
      id, [this, shard, rows] { *rows = world_.store.wakes(shard); },
      [this, shard, epoch, rows] {
        for (const auto& [who, at] : *rows) wakes_.emplace(who, at);
        if (epoch != 0) member.wakes_loaded(shard, epoch);
      },
      [this, shard, epoch] {
        if (epoch != 0) load_wakes(shard, epoch);
      });
}

// ---- the region -------------------------------------------------------------------------------

void node::route(envelope what) {
  const auto shard = shard_of(what.to, world_.options.shards);
  const auto& place = member.view().at(shard);
  what.sender = id;
  what.epoch = place.epoch;
  what.version = member.view().version();
  if (place.owner == 0) return;  // the asker asks again
  if (place.owner == id)
    return world_.later(0, id, [this, what = std::move(what)] { arrive(what); });
  world_.send(id, place.owner, [what = std::move(what)](node& there) { there.arrive(what); });
}

void node::arrive(envelope what) {
  const auto shard = shard_of(what.to, world_.options.shards);
  switch (member.shards().route_of(shard)) {
    case shard_keeper::route::deliver:
      return entities.deliver(what.to, what.what, what.from);
    case shard_keeper::route::hold:
      if (auto& held = held_[shard]; held.size() < held_per_shard_max) held.push_back(what);
      return;
    case shard_keeper::route::moving:
      return;
    case shard_keeper::route::elsewhere:
      break;
  }
  switch (member.view().judge(shard, what.epoch, what.version)) {
    case arrival::moved:
      return world_.send(id, what.sender, [shard, place = member.view().at(shard)](node& there) {
        there.member.view().learn(shard, place);
      });
    case arrival::refresh:
      return member.view().hear_of(what.version);
    case arrival::ours:
      return;
  }
}

void node::answer(const actors::reply_to& to, const actors::answer& what) {
  if (to.edge != 0)
    return world_.send(id, to.edge, [request = to.request, what](node& there) {
      const auto found = there.requests_.find(request);
      if (found == there.requests_.end()) return;
      const auto then = std::move(found->second);
      there.requests_.erase(found);
      then(what);
    });
  if (to.entity)
    world_.send(id, to.session, [request = to.request, what](node& there) {
      there.entities.answered(request, what);
    });
}

void node::push(const actors::push& what, const std::set<std::uint64_t>& watchers) {
  const auto* events = std::get_if<actors::table_events>(&what);
  if (events == nullptr) {
    for (const auto edge : world_.edges()) push_to(edge, what);
    return;
  }
  for (const auto edge : watchers) push_to(edge, what);
  for (const auto& cause : events->causes) answer(cause, actors::accepted{events->seq});
}

void node::push_to(std::uint64_t edge, const actors::push& what) {
  if (const auto* events = std::get_if<actors::table_events>(&what))
    heads_[edge][{entity_kind::table, events->table}] = events->seq;
  world_.send_push(id, edge, [what](node& there) { there.receive_push(what); });
}

// ---- the gate ---------------------------------------------------------------------------------

void node::commit(sent_commit what, outcome then) {
  switch (gate_.admit(what.shard, what.epoch)) {
    case gate_shards::verdict::refuse:
      return world_.later(0, id, [then] { then({errc::stale_epoch, "closed here", {}, {}}); });
    case gate_shards::verdict::hold:
      waiting_.emplace_back(std::move(what), std::move(then));
      return;
    case gate_shards::verdict::take:
      return take_off(std::move(what), std::move(then));
  }
}

// From here to its outcome, however often it is sent: `reach` and the oracle of rule C count it.
void node::take_off(sent_commit what, outcome then) {
  const auto lane = static_cast<std::uint16_t>(std::ranges::find(flights_, false, &flight::is_out) -
                                               flights_.begin());
  if (lane < flights_.size()) {
    flights_[lane] = {true, world_.now()};
    reach.began(lane, to_millis(clock()));
  }
  auto landed = [this, lane, then = std::move(then)](const storage::member_result& result) {
    if (lane < flights_.size()) {
      reach.ended(lane);
      if (world_.now() - flights_[lane].since > impeded_ms) impeded_at_ = world_.now();
      flights_[lane].is_out = false;
    }
    then(result);
  };
  fly(std::make_shared<sent_commit>(std::move(what)), landed);
}

millis node::impeded_at() const {
  const auto since = [&](millis when) { return when != 0 && world_.now() - when > impeded_ms; };
  const bool waits =
      std::ranges::any_of(flights_, [&](const flight& f) { return f.is_out && since(f.since); });
  return waits || since(ticked_at_) ? world_.now() : impeded_at_;
}

void node::fly(const std::shared_ptr<sent_commit>& what, const outcome& then) {
  what->id = {id, 0, ++batches_};
  what->generation = generation_;
  auto result = std::make_shared<storage::member_result>();
  world_.ask_store(
      id, [this, copy = *what, result] { *result = world_.store.commit(copy, world_.store_now()); },
      [this, what, then, result] {
        if (result->code == errc::fenced) return stop("fenced");
        if (result->code == errc::unknown) return look_for(what, then);
        land(*what, then, *result);
      },
      [this, what, then] {
        ++world_.count.unknown;
        if (world_.options.with != bug::retry_without_looking) return look_for(what, then);
        world_.store.told_refused(what->id);
        land(*what, then, {errc::unavailable, "gave up", {}, {}});
      });
}

// Rule A4: first nothing sent before may land any more, then look, then answer or send again.
void node::look_for(const std::shared_ptr<sent_commit>& what, const outcome& then) {
  auto found = std::make_shared<sim_store::resolved>();
  world_.ask_store(
      id, [this, batch = what->id, found] { *found = world_.store.resolve(id, batch); },
      [this, what, then, found] {
        if (found->fenced) return stop("fenced");
        generation_ = std::max(generation_, found->generation);
        if (found->applied) return land(*what, then, *found->applied);
        fly(what, then);
      },
      [this, what, then] { look_for(what, then); });
}

void node::land(const sent_commit& what, const outcome& then,
                const storage::member_result& result) {
  if (result.code == errc::none && what.what.wake == storage::commit::wake_change::set)
    wakes_[what.entity] = what.what.wake_at;
  if (result.code == errc::none && what.what.wake == storage::commit::wake_change::clear)
    wakes_.erase(what.entity);
  const bool empty = gate_.settled(what.shard);
  then(result);
  if (empty && running) member.gate_empty(what.shard, what.epoch, clock());
}

// What the gate has not taken yet never had a chance to land: its entity hears so.
void node::drop_waiting(shard_id shard) {
  std::erase_if(waiting_, [&](const auto& w) {
    if (w.first.shard != shard) return false;
    world_.later(0, id, [then = w.second] { then({errc::stale_epoch, "dropped", {}, {}}); });
    return true;
  });
}

void node::suspended(bool is) {
  if (is) return gate_.suspend();
  gate_.resume();
  for (auto& [what, then] : std::exchange(waiting_, {})) commit(std::move(what), then);
}

// ---- shards -----------------------------------------------------------------------------------

void node::carry_out(const shard_action& what) {
  std::visit(
      overloaded{
          [&](const take_shard& a) {
            move_shard(a.shard, [this, a] {
              return world_.store.take(id, a.shard, a.epoch, world_.store_now());
            });
          },
          [&](const open_gate& a) {
            if (!gate_.open(a.shard, a.epoch)) world_.fail("a gate opened over a flight");
            if (world_.options.with == bug::forgotten_wake_up)
              return world_.later(1, id, [this, a] { member.wakes_loaded(a.shard, a.epoch); });
            load_wakes(a.shard, a.epoch);
          },
          [&](const serve_shard& a) {
            for (auto& held : std::exchange(held_[a.shard], {}))
              world_.later(0, id, [this, held] { arrive(held); });
          },
          [&](const stop_entities& a) {
            if (a.at_once) {
              entities.stop(a.shard, true);
              drop_waiting(a.shard);
            } else {
              drain(a.shard, a.epoch, 0);
            }
          },
          [&](const close_gate& a) {
            entities.stop(a.shard, true);
            std::erase_if(wakes_, [&](const auto& w) {
              return shard_of(w.first, world_.options.shards) == a.shard;
            });
            if (gate_.close(a.shard) || world_.options.with == bug::release_before_flight)
              world_.later(0, id, [this, a] { member.gate_empty(a.shard, a.epoch, clock()); });
          },
          [&](const release_shard& a) {
            move_shard(a.shard, [this, a] {
              return world_.store.release(id, {a.shard, a.epoch, a.to}, world_.store_now());
            });
          },
          [&](const announce_row& a) {
            tell_rows({&a.row, 1});
          },
          [&](const stop_node& a) { stop(a.why); }},
      what);
}

void node::move_shard(shard_id shard, std::function<storage::shard_row()> op) {
  auto row = std::make_shared<storage::shard_row>();
  world_.ask_store(
      id, [op = std::move(op), row] { *row = op(); }, [this, row] { member.row(*row, clock()); },
      [this, shard] { member.shard_store_failed(shard, clock()); });
}

void node::drain(shard_id shard, std::uint64_t epoch, int tries) {
  if (entities.stop(shard, false))
    return world_.later(0, id, [this, shard, epoch] { member.entities_stopped(shard, epoch); });
  if (tries < 200 && member.shards().phase_of(shard) == shard_phase::draining)
    world_.later(20, id, [this, shard, epoch, tries] { drain(shard, epoch, tries + 1); });
}

void node::stop(std::string_view why) {
  if (!running) return;
  running = false;
  world_.log("node ", id, " stops: ", why);
  world_.note(id * 31 + why.size());
  if (world_.store.is_member(id) && !is_edge)
    world_.fail("a living member stopped: " + std::string{why});
}

}  // namespace baraza::sim
