#include "tests/sim/world.hpp"

#include <algorithm>

#include "actors/table_events.hpp"
#include "cluster/membership/limits.hpp"
#include "tests/sim/node.hpp"
#include "tests/sim/player.hpp"

namespace baraza::sim {

namespace {
constexpr millis store_check_ms = 100;
}  // namespace

world::world(const run_options& given)
    : options{given}, store{given.shards, given.with}, random_{given.seed * 0x9E3779B97F4A7C15ull} {
  table_options.random_bytes = [this](void* out, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      static_cast<std::uint8_t*>(out)[i] = static_cast<std::uint8_t>(random_());
  };
  table_options.cluster_key.fill(0x5A);
  table_options.rake_bp = 500;
  if (options.with == bug::clock_runs_while_down) table_options.resume_grace_ms = 1;
  // A short time for stakes meets wallets that are slow to answer; few worlds void what is sound.
  if (pick(1, 3) == 1) table_options.buy_in_timeout_ms = 3'000;
  voids_ = pick(1, 3) == 1;
  watch_store();
}
world::~world() = default;

// ---- time -------------------------------------------------------------------------------------

void world::later(millis in, std::uint64_t process, std::function<void()> what) {
  agenda_.emplace(std::pair{now_ + in, order_++}, event{process, std::move(what)});
}

void world::run_for(millis time) {
  const auto end = now_ + time;
  while (store.violation.empty() && !agenda_.empty() && agenda_.begin()->first.first <= end) {
    auto next = agenda_.extract(agenda_.begin());
    now_ = next.key().first;
    auto& due = next.mapped();
    if (due.process != 0) {
      auto* n = find(due.process);
      if (n == nullptr || !n->running) continue;
      if (n->paused_until > now_) {
        later(n->paused_until - now_, due.process, std::move(due.what));
        continue;
      }
    }
    due.what();
  }
  now_ = end;
}

uuid world::key(millis at) {
  uuid out;
  for (auto& byte : out.bytes) byte = static_cast<std::uint8_t>(random_());
  if (at == 0) return out;
  for (int i = 0; i < 6; ++i)
    out.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(at >> (40 - 8 * i));
  return out;
}

// ---- the network ------------------------------------------------------------------------------

void world::send(std::uint64_t from, std::uint64_t to, std::function<void(node&)> what) {
  ++count.messages;
  if (cut_.contains({from, to}) || chance(2)) {
    ++count.lost;
    return;
  }
  for (int copies = chance(2) ? 2 : 1; copies > 0; --copies) {
    const auto delay = chance(3) ? pick(50, 2'000) : pick(1, 4);
    later(delay, to, [this, to, what] {
      if (auto* there = find(to)) what(*there);
    });
  }
}

void world::send_push(std::uint64_t from, std::uint64_t to, std::function<void(node&)> what) {
  if (options.lost_pushes > 0 && pick(1, 100) <= options.lost_pushes) return void(++count.lost);
  send(from, to, std::move(what));
}

bool world::is_refused(std::uint64_t from, std::uint64_t to) const {
  const auto found = nodes_.find(to);
  return !cut_.contains({from, to}) && (found == nodes_.end() || !found->second->running);
}

// ---- the store --------------------------------------------------------------------------------

void world::ask_store(std::uint64_t who, std::function<void()> op, std::function<void()> ok,
                      std::function<void()> failed) {
  constexpr millis limit = 2'000;
  ++count.store_calls;
  if (now_ < store_away_until_ || chance(1)) return later(pick(20, 200), who, std::move(failed));
  if (storeless_.contains(who)) return later(limit, who, std::move(failed));
  const auto way = pick(1, 4) + (now_ < store_slow_until_ ? pick(20, 400) : 0);
  if (chance(2)) {  // the connection breaks: it lands late, even after a takeover, or never
    if (pick(1, 10) <= 7) later(pick(1, 9'000), 0, std::move(op));
    return later(pick(100, limit), who, std::move(failed));
  }
  const auto lands = std::max<millis>(way, store_still_until_ - now_ + way);
  if (lands > limit) {
    later(lands, 0, std::move(op));
    return later(limit, who, std::move(failed));
  }
  later(lands, 0, [this, who, op = std::move(op), ok = std::move(ok)] {
    op();
    later(pick(1, 4), who, ok);
  });
}

std::uint64_t world::store_connection(std::uint64_t who) const {
  return store_outages_ * 1'000 + who;
}

void world::watch_store() {
  if (now_ >= store_away_until_ && now_ >= store_still_until_)
    for (auto& [id, n] : nodes_) n->store_seen += store_check_ms;
  if (options.told_within_ms > 0) check_edges_are_told();
  later(store_check_ms, 0, [this] { watch_store(); });
}

// Rule E1: whatever push is lost, an edge hears within about a second that it is behind.
void world::check_edges_are_told() {
  for (const auto id : edges())
    for (const auto& table : matches) {
      const auto seen = find(id)->seen_of(table);
      auto& untold = untold_[{id, table}];
      std::erase_if(untold, [&](const auto& head) { return head.first <= seen; });
      const auto head = store.ledger.journals[table].size();
      if (seen == 0 || seen >= head) continue;
      untold.emplace(head, now_);
      longest_behind = std::max(longest_behind, now_ - untold.begin()->second);
      if (longest_behind > options.told_within_ms) fail("an edge learned of an event too late");
    }
}

std::map<std::uint64_t, millis> world::store_silences() const {
  std::map<std::uint64_t, millis> out;
  for (const auto& [id, n] : nodes_) out.emplace(id, n->store_seen);
  return out;
}

void world::check_sentence(const std::vector<std::uint64_t>& dead,
                           const storage::cluster_state& counted,
                           const std::map<std::uint64_t, millis>& silences) {
  const auto accusers = [&](std::uint64_t who) {
    return std::ranges::count_if(counted.votes, [&](const storage::vote& v) {
      return v.accused == who && v.kind == storage::vote_kind::silent &&
             counted.now - v.at <= cluster::vote_age_max.count();
    });
  };
  const auto is_alive = [&](std::uint64_t who) {
    const auto* n = find(who);
    return n != nullptr && n->running && silences.contains(who);
  };
  // Renews each second: unheard for less than that while the store was there, it could have voted.
  const auto only_the_store_is_silent = [&](const storage::member& m) {
    return m.status != storage::member_status::joining && is_alive(m.incarnation) &&
           counted.now - m.renewed_at > cluster::store_silence_vote.count() &&
           silences.at(m.incarnation) < 800;
  };
  // Past its lease by its own word, one has perhaps renewed without knowing: silence counts then.
  const auto least_silence = [&](std::uint64_t who) -> millis {
    const bool says_so = std::ranges::any_of(counted.votes, [&](const storage::vote& v) {
      return v.accused == who && v.kind == storage::vote_kind::store_lost;
    });
    return says_so ? 800 : cluster::store_silence_vote.count();
  };
  for (const auto who : dead) {
    if (!is_alive(who) || accusers(who) >= 2) continue;
    if (accusers(who) == 0 && silences.at(who) < least_silence(who))
      fail("a node was condemned for a silence of the store");
    for (const auto& m : counted.members) {
      const bool falls_itself =
          std::ranges::find(dead, m.incarnation) != dead.end() && accusers(m.incarnation) != 1;
      const bool accuses = std::ranges::any_of(counted.votes, [&](const storage::vote& v) {
        return v.accuser == m.incarnation && v.accused == who;
      });
      if (accusers(who) == 1 && m.incarnation != who && !falls_itself && !accuses &&
          only_the_store_is_silent(m))
        fail("one vote was enough, as only the store kept another one from voting");
    }
  }
}

// ---- looking ----------------------------------------------------------------------------------

node* world::find(std::uint64_t id) {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : found->second.get();
}

std::vector<std::uint64_t> world::edges() {
  std::vector<std::uint64_t> out;
  for (const auto& [id, n] : nodes_)
    if (n->is_edge && n->running) out.push_back(id);
  return out;
}

void world::promise(const entity_id& table, int seat, std::uint64_t command, std::uint64_t seq) {
  promises_.push_back({table, seat, command, seq});
  check_promise(promises_.back());
}

void world::check_promise(const promised& what) {
  const auto& journal = store.ledger.journals[what.table];
  if (what.seq > journal.size()) return fail("a player saw what the journal does not hold");
  if (what.command == 0 || what.seq == 0) return;
  const auto is_it = [&](const storage::journal_event& e) {
    const auto read = actors::table_event::decode(e.payload);
    const auto* g = std::get_if<actors::table_event::game>(&read.what);
    return g != nullptr && g->command == what.command && g->seat == what.seat;
  };
  if (std::ranges::none_of(journal, is_it)) fail("an acknowledged move is not in the journal");
}

}  // namespace baraza::sim
