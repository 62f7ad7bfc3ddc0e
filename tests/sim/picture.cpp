// What a run looked like at its end, for the one who replays a failing seed.
#include <sstream>

#include "tests/sim/node.hpp"

namespace baraza::sim {

std::string world::picture() const {
  std::ostringstream out;
  const auto state = store.read(store_now());
  out << "after " << now_ - began << " ms: version " << state.version << ", coordinator "
      << state.coordinator << " epoch " << state.coordinator_epoch << '\n';
  for (const auto& m : state.members)
    out << "member " << m.incarnation << ' ' << m.name << ' ' << to_string(m.status) << " weight "
        << m.weight << ", renewed " << state.now - m.renewed_at << " ms ago\n";
  for (const auto& v : state.votes)
    out << "vote of " << v.accuser << " against " << v.accused << ", " << state.now - v.at
        << " ms old\n";
  for (const auto& row : state.shards) {
    out << "shard " << row.id << ": owner " << row.owner << " epoch " << row.epoch << " next "
        << row.next_owner << " for " << state.now - row.since << " ms;";
    for (const auto& [id, n] : nodes_)
      if (n->running && n->member.shards().phase_of(row.id) != cluster::shard_phase::closed)
        out << ' ' << id << " is " << cluster::to_string(n->member.shards().phase_of(row.id));
    out << '\n';
  }
  for (const auto& [id, n] : nodes_)
    out << "node " << id << (n->is_edge ? " edge" : "") << (n->running ? "" : " gone")
        << (n->member.may_commit(n->clock()) ? "" : " suspended")
        << (n->member.may_judge(n->clock()) ? " judges" : "") << ", knows version "
        << n->member.last_state().version << '\n';
  for (const auto& table : matches) {
    const auto found = store.ledger.journals.find(table);
    out << table.to_string() << " in shard " << shard_of(table, options.shards) << " at seq "
        << (found == store.ledger.journals.end() ? 0 : found->second.size());
    for (const auto& [id, n] : nodes_)
      if (const auto owner = store.rows()[shard_of(table, options.shards)].owner; owner == id)
        out << ", at " << id << ": " << n->entities.picture(table);
    out << '\n';
  }
  for (const auto& [id, n] : nodes_)
    if (n->running && n->is_edge)
      for (const auto& table : matches)
        out << "edge " << id << " of " << table.to_string() << ": " << n->watch_of(table) << '\n';
  for (const auto& line : log_) out << line << '\n';
  return out.str();
}

void world::write_log(const std::string& what) {
  log_.push_back(std::to_string(now_ - began) + " ms: " + what);
}

std::string node::watch_of(const entity_id& table) const {
  const auto found = watched_.find(table);
  if (found == watched_.end()) return "does not watch";
  const auto& w = found->second;
  return "at seq " + std::to_string(w.seq) + (w.caught_up ? "" : ", asks") + ", pushed " +
         std::to_string(w.pushed) + ", epoch " + std::to_string(w.epoch) + ", shown " +
         std::to_string(w.seen);
}

std::string host::picture(const entity_id& id) const {
  std::ostringstream out;
  const auto found = live_.find(id);
  if (found == live_.end()) {
    out << "not awake";
  } else {
    const auto& own = found->second;
    out << "life " << own.activation << " at seq " << own.head << (own.ready ? "" : " reading")
        << (own.committing ? " committing" : "") << ", " << own.held.size() << " held, timer in "
        << (own.timer_at == 0 ? 0 : own.timer_at - world_.now()) << " ms";
  }
  if (const auto flight = flying_.find(id); flight != flying_.end())
    out << ", " << flight->second << " commits on their way";
  for (const auto& [number, ask] : asks_)
    if (ask.from == id) out << ", asks " << ask.to.to_string();
  return out.str();
}

}  // namespace baraza::sim
