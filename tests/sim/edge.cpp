// The edge side of a node: requests of its players, and the tables that one session of its own
// watches (rule E1). It does what http/gateway_tables.cpp and gateway_shards.cpp do for theirs.
#include "tests/sim/node.hpp"

namespace baraza::sim {

namespace {
constexpr millis renew_every_ms = 15'000;
constexpr millis digest_every_ms = 1'000;
constexpr millis request_deadline_ms = 5'000;
constexpr millis come_back_ms = 1'000;  // a client whose table was refused
}  // namespace

std::uint64_t node::ask(const entity_id& to, const actors::request& what,
                        std::function<void(const actors::answer&)> then, session of) {
  const auto number = next_request_++;
  requests_[number] = std::move(then);
  world_.later(request_deadline_ms, id, [this, number] { requests_.erase(number); });
  const auto session = static_cast<std::uint64_t>(of);
  route({.to = to, .what = what, .from = {static_cast<std::uint32_t>(id), session, number, {}}});
  return number;
}

void node::watch(const entity_id& table) {
  const auto [at, is_new] = watched_.try_emplace(table);
  if (!is_new) return;
  at->second.next_renewal = world_.now() + renew_every_ms;
  watch_again(table);
}

void node::forget(const entity_id& table) {
  if (watched_.erase(table) == 0) return;
  const auto session = static_cast<std::uint64_t>(session::player);
  route({.to = table,
         .what = actors::table_unwatch{},
         .from = {static_cast<std::uint32_t>(id), session, 0, {}}});
}

void node::watch_again(const entity_id& table) {
  const auto found = watched_.find(table);
  if (found == watched_.end()) return;
  auto& w = found->second;
  w.caught_up = false;
  w.place = member.view().at(shard_of(table, world_.options.shards)).epoch;
  w.asked =
      ask(table, actors::table_watch{{}, w.seq, w.epoch}, [this, table](const actors::answer& got) {
        if (const auto* view = std::get_if<actors::table_view>(&got))
          return learn_view(table, *view);
        world_.later(come_back_ms, id, [this, table] { watch_again(table); });
      });
  world_.later(request_deadline_ms, id, [this, table, asked = w.asked] {
    const auto late = watched_.find(table);
    if (late != watched_.end() && !late->second.caught_up && late->second.asked == asked)
      watch_again(table);
  });
}

std::uint64_t node::seen_of(const entity_id& table) const {
  const auto found = watched_.find(table);
  return found == watched_.end() ? 0 : found->second.seen;
}

void node::learn_view(const entity_id& table, const actors::table_view& view) {
  const auto found = watched_.find(table);
  if (found == watched_.end()) return;
  auto& w = found->second;
  w.caught_up = true;
  w.seq = view.seq;
  w.seen = std::max(w.seen, view.seq);
  w.epoch = std::max(w.epoch, view.epoch);
  w.pushed = std::max(w.pushed, view.seq);
}

void node::receive_push(const actors::push& what) {
  if (const auto* again = std::get_if<actors::table_restarted>(&what)) {
    if (const entity_id table{entity_kind::table, again->table}; watched_.contains(table))
      watch_again(table);
    return;
  }
  const auto* events = std::get_if<actors::table_events>(&what);
  if (events == nullptr) return;
  const entity_id table{entity_kind::table, events->table};
  const auto found = watched_.find(table);
  if (found == watched_.end() || events->epoch < found->second.epoch) return;
  auto& w = found->second;
  w.epoch = events->epoch;
  w.pushed = std::max(w.pushed, events->seq);
  if (!w.caught_up || events->seq <= w.seq) return;
  if (events->prev > w.seq) return watch_again(table);
  w.seq = events->seq;
  w.seen = std::max(w.seen, w.seq);
}

void node::receive_digest(const std::map<entity_id, std::uint64_t>& heads) {
  for (const auto& [table, seq] : heads) {
    const auto found = watched_.find(table);
    if (found == watched_.end()) continue;
    // Also while the watch is being answered: that view may be older.
    found->second.pushed = std::max(found->second.pushed, seq);
    if (found->second.caught_up && found->second.seq < seq) watch_again(table);
  }
}

// Each second: how far the tables are that were pushed there since.
void node::tell_digests() {
  if (world_.now() < next_digest_) return;
  next_digest_ = world_.now() + digest_every_ms;
  auto told = std::exchange(heads_, {});
  if (world_.options.with == bug::lost_last_push) return;
  for (auto& [edge, heads] : told)
    world_.send(id, edge, [heads = std::move(heads)](node& there) { there.receive_digest(heads); });
}

void node::renew_watches() {
  const bool is_second = world_.now() >= next_sweep_;
  if (is_second) next_sweep_ = world_.now() + 1'000;
  for (auto& [table, w] : watched_) {
    const auto epoch = member.view().at(shard_of(table, world_.options.shards)).epoch;
    const bool is_moved = epoch > w.place;  // the new owner does not know that we watch
    const bool overtaken = w.caught_up && w.seq < w.pushed && is_second;
    if (is_moved || overtaken) watch_again(table);
    if (world_.now() < w.next_renewal) continue;
    w.next_renewal = world_.now() + renew_every_ms;
    if (w.pushed == 0 || world_.options.with == bug::lost_last_push) continue;
    ask(
        table, actors::table_renew{w.pushed},
        [this, table = table](const actors::answer&) { watch_again(table); }, session::renewal);
  }
}

}  // namespace baraza::sim
