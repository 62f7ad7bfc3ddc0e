// One run from start to end: what goes wrong when, and when all must be well again.
#include <algorithm>

#include "actors/table_events.hpp"
#include "tests/sim/node.hpp"
#include "tests/sim/player.hpp"

namespace baraza::sim {

namespace {
constexpr millis ends_within_ms = 240'000;  // after healing: every clock of a match, three times
}

std::string world::run() {
  for (int i = 0; i < options.games; ++i) start_node(false, "game" + std::to_string(i));
  for (int i = 0; i < options.edges; ++i) start_node(true, "edge" + std::to_string(i));
  run_for(8'000);
  // Some begin later, so that faults meet every phase of a match.
  for (int i = 0; i < options.matches; ++i)
    later(i == 0 ? 0 : pick(0, 1'000) * options.fault_steps, 0, [this] { start_match(); });
  for (int i = 0; i < options.fault_steps && store.violation.empty(); ++i) {
    run_for(pick(300, 2'500));
    fault();
  }
  heal();
  std::string open = "not looked";
  for (millis passed = 0; passed < ends_within_ms && store.violation.empty(); passed += 5'000) {
    run_for(5'000);
    if ((open = why_not_over()).empty()) break;
  }
  if (store.violation.empty() && !open.empty()) fail(open);
  for (const auto& promise : promises_) check_promise(promise);
  for (const auto& [id, journal] : store.ledger.journals) note(stable_hash(id) ^ journal.size());
  note(count.messages);
  return store.violation;
}

void world::start_node(bool is_edge, const std::string& name) {
  constexpr std::uint16_t old_level = 1, new_level = 2;
  const bool is_new = options.rolls_upgrade && count.faults > 0 && (!faulty_ || pick(1, 3) != 1);
  auto id = store.join(name, is_edge ? 0 : 1, is_new ? new_level : old_level, store_now());
  if (id == 0) id = store.join(name, is_edge ? 0 : 1, new_level, store_now());  // was too old
  log("node ", id, " joins as ", name, is_new ? ", a newer binary" : "");
  nodes_[id] = std::make_unique<node>(*this, id, is_edge, name);
}

void world::start_match() {
  const entity_id table{entity_kind::table, key(now_)};
  matches.push_back(table);
  actors::table_create terms{"draw", {}, 500, storage::currency::demo, {}};
  for (int seat = 0; seat < 2; ++seat) {
    players_.push_back(std::make_unique<player>(*this, seat));
    terms.seats.push_back({players_.back()->key, "player"});
  }
  auto create = [this, table, terms](auto again, int tries) -> void {
    if (const auto all = edges(); !all.empty()) {
      find(all.front())->watch(table);
      find(all.front())->ask(table, terms, [](const actors::answer&) {});
    }
    if (tries > 0 && store.ledger.journals[table].empty())
      later(500, 0, [=] { again(again, tries - 1); });
  };
  create(create, 200);
  for (auto p = players_.end() - 2; p != players_.end(); ++p) (*p)->sit_down(table);
  const auto leaves = [this](player* who) {
    later(pick(3'000, 20'000), 0, [who] { who->leave(); });
  };
  auto last = players_.rbegin();
  const auto gone = pick(1, 6);  // nobody, one, or both
  if (gone <= 2) leaves(last->get());
  if (gone == 1) leaves(std::next(last)->get());
  watch_while_played(table);
}

// Edges watch for their sessions alone: when the last one is gone, nobody asks for the table.
void world::watch_while_played(const entity_id& table) {
  const bool is_played =
      std::ranges::any_of(players_, [&](const auto& p) { return p->plays(table); });
  if (is_played) return later(1'000, 0, [this, table] { watch_while_played(table); });
  for (const auto id : edges()) find(id)->forget(table);
}

void world::void_match(const entity_id& table) {
  const auto owner = store.rows().at(shard_of(table, options.shards)).owner;
  auto* n = find(owner);
  if (n != nullptr && n->running && n->paused_until <= now_) n->entities.end_match(table);
}

// ---- what goes wrong --------------------------------------------------------------------------

void world::fault() {
  ++count.faults;
  if (pick(1, 4) == 1) return fault_of_store();
  auto chosen = nodes_.begin();
  std::advance(chosen, pick(0, std::ssize(nodes_) - 1));
  if (chosen->second->running) fault_of(*chosen->second);
}

void world::fault_of_store() {
  const auto length = pick(200, 9'000);
  const auto what = pick(0, 2);
  log("the store is ", what == 0 ? "away" : what == 1 ? "still" : "slow", " for ", length, " ms");
  switch (what) {
    case 0:
      store_away_until_ = now_ + length;
      ++store_outages_;
      return;
    case 1:
      store_still_until_ = now_ + length;
      return;
    default:
      store_slow_until_ = now_ + length;
  }
}

// Moves that are under way when the store falls silent.
void world::silence_store_soon() {
  if (pick(1, 3) == 1) return;
  later(pick(100, 1'500), 0, [this] {
    if (faulty_) fault_of_store();
  });
}

void world::kill(node& n) {
  n.running = false;
  for (const auto& [id, peer] : nodes_)
    if (peer->running && id != n.id)
      later(pick(1, 20), id,
            [peer = peer.get(), dead = n.id] { peer->member.link_lost(dead, peer->clock()); });
}

void world::fault_of(node& n) {
  const auto other = [&] {
    auto it = nodes_.begin();
    std::advance(it, pick(0, std::ssize(nodes_) - 1));
    return it->first;
  };
  const auto what = pick(0, 9);
  static constexpr const char* names[] = {"killed",
                                          "paused",
                                          "paused long",
                                          "cut one way",
                                          "cut off",
                                          "cut off from the store",
                                          "crash of an entity",
                                          "drained",
                                          "leaves",
                                          "void of a match"};
  log("node ", n.id, ": ", names[what]);
  switch (what) {
    case 0: {  // killed; its links break; it comes back as another incarnation
      kill(n);
      const bool edge = n.is_edge;
      later(pick(500, 12'000), 0, [this, edge, name = n.name] { start_node(edge, name); });
      return;
    }
    case 1:
      n.paused_until = now_ + pick(50, 1'500);
      return;
    case 2:  // longer than the lease: the zombie writer
      n.paused_until = now_ + pick(5'000, 12'000);
      return;
    case 3:
      cut_.insert({n.id, other()});  // one way
      return;
    case 4:
      for (const auto& [id, peer] : nodes_) cut_.insert({n.id, id}), cut_.insert({id, n.id});
      later(pick(500, 8'000), 0, [this] { cut_.clear(); });
      return;
    case 5:
      storeless_.insert(n.id);
      later(pick(300, 9'000), 0, [this, id = n.id] { storeless_.erase(id); });
      return;
    case 6:
      if (const auto live = n.entities.live(); !live.empty())
        n.entities.crash(live[static_cast<std::size_t>(pick(0, std::ssize(live) - 1))]);
      return;
    case 7:
      store.set_draining(n.id, true);
      later(pick(2'000, 8'000), 0, [this, id = n.id] { store.set_draining(id, false); });
      return silence_store_soon();
    case 8:
      n.leave();
      later(pick(3'000, 15'000), 0,
            [this, edge = n.is_edge, name = n.name] { start_node(edge, name); });
      return silence_store_soon();
    default:  // twice: as an operator's order and the quarantine's own could meet
      if (voids_ && !matches.empty()) {
        const auto& table = matches[static_cast<std::size_t>(pick(0, std::ssize(matches) - 1))];
        for (const auto in : {millis{1}, pick(1, 30)})
          later(in, 0, [this, table] { void_match(table); });
      }
  }
}

void world::heal() {
  log("healed");
  faulty_ = false;
  cut_.clear();
  storeless_.clear();
  store_away_until_ = store_still_until_ = store_slow_until_ = 0;
  for (auto& [id, n] : nodes_) n->paused_until = std::min(n->paused_until, now_);
  // Whoever the store called dead meanwhile comes back as somebody else.
  later(8'000, 0, [this] {
    const auto alive = [&](bool edge) {
      return std::ranges::count_if(nodes_, [&](const auto& n) {
        return n.second->running && n.second->is_edge == edge && store.is_member(n.first);
      });
    };
    for (auto n = alive(false); n < options.games; ++n) start_node(false, "again");
    for (auto n = alive(true); n < options.edges; ++n) start_node(true, "again");
  });
  if (options.rolls_upgrade) later(20'000, 0, [this] { replace_old(); });
}

// One after the other, as an operator rolls what is left.
void world::replace_old() {
  const auto old = std::ranges::find_if(nodes_, [&](const auto& n) {
    const auto member = store.members().find(n.first);
    return n.second->running && member != store.members().end() && member->second.level == 1;
  });
  if (old == nodes_.end()) return;
  auto& n = *old->second;
  n.leave();
  later(15'000, 0, [this, &n, edge = n.is_edge, name = n.name] {
    if (n.running) kill(n);
    start_node(edge, name);
    replace_old();
  });
}

void world::level_rises() {
  if (!options.rolls_upgrade || std::exchange(has_late_, true)) return;
  later(pick(0, 4), 0, [this] {
    const auto id = store.join("late", 0, 1, store_now());
    if (id == 0) return;
    log("node ", id, " joins late, an old binary");
    nodes_[id] = std::make_unique<node>(*this, id, true, "late");
    later(2'000, 0, [this] { replace_old(); });
  });
}

std::string world::why_not_over() {
  if (std::ssize(matches) < options.matches) return "a match did not begin";
  for (const auto& table : matches) {
    const auto& journal = store.ledger.journals[table];
    if (journal.empty()) return "a match was never created";
    using actors::table_event::kind;
    const auto last = actors::table_event::kind_of(journal.back().payload);
    if (last != kind::ended && last != kind::voided && last != kind::aborted)
      return "a match does not end: " + table.to_string();
    for (const auto id : edges()) {
      const auto& n = *find(id);
      if (store.is_member(id) && n.is_watching(table) && n.seen_of(table) != journal.size())
        return "an edge never saw the end of " + table.to_string();
    }
  }
  for (const auto& row : store.rows())
    if (row.owner == 0 || !find(row.owner)->running) return "a shard is nobody's";
  if (options.rolls_upgrade && store.level() != 2) return "the level was not raised";
  return {};
}

}  // namespace baraza::sim
