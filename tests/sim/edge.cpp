// The edge side of a node: requests of its players, and its watched tables (rule E1).
#include "tests/sim/node.hpp"

namespace baraza::sim {

namespace {
constexpr millis renew_every_ms = 15'000;
}

void node::ask(const entity_id& to, const actors::request& what,
               std::function<void(const actors::answer&)> then) {
  const auto number = next_request_++;
  requests_[number] = std::move(then);
  world_.later(5'000, id, [this, number] { requests_.erase(number); });
  route({.to = to, .what = what, .from = {static_cast<std::uint32_t>(id), 1, number, {}}});
}

void node::watch(const entity_id& table) {
  watched_.try_emplace(table, watched{.next_renewal = world_.now() + renew_every_ms});
}

std::uint64_t node::seen_of(const entity_id& table) const {
  const auto found = watched_.find(table);
  return found == watched_.end() ? 0 : found->second.seq;
}

void node::learn_view(const entity_id& table, const actors::table_view& view) {
  auto& w = watched_[table];
  w.epoch = std::max(w.epoch, view.epoch);
  w.seq = std::max(w.seq, view.seq);
}

void node::receive_push(const actors::table_events& what) {
  const entity_id table{entity_kind::table, what.table};
  const auto found = watched_.find(table);
  if (found == watched_.end() || what.epoch < found->second.epoch) return;
  auto& w = found->second;
  w.epoch = what.epoch;
  if (what.seq <= w.seq) return;
  if (what.prev <= w.seq) {
    w.seq = what.seq;
    w.ended = what.ended;
    return;
  }
  ask(table, actors::table_watch{{}, w.seq, w.epoch}, [this, table](const actors::answer& got) {
    if (const auto* view = std::get_if<actors::table_view>(&got)) learn_view(table, *view);
  });
}

void node::renew_watches() {
  if (world_.options.with == bug::lost_last_push) return;
  for (auto& [table, w] : watched_) {
    if (w.ended || world_.now() < w.next_renewal) continue;
    w.next_renewal = world_.now() + renew_every_ms;
    ask(table, actors::table_watch{{}, w.seq, w.epoch},
        [this, table = table](const actors::answer& got) {
          if (const auto* view = std::get_if<actors::table_view>(&got)) learn_view(table, *view);
        });
  }
}

}  // namespace baraza::sim
