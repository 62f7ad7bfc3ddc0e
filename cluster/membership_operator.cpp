// What operators ask of this node's member: a view of the whole cluster, and orders. Any node takes
// them; the store and the coordinator carry them out.
#include <caf/send.hpp>

#include "cluster/limits.hpp"
#include "cluster/membership_actor.hpp"
#include "cluster/operators.hpp"

namespace baraza::cluster {
namespace {

using kind = operator_verdict::kind;

const operator_verdict done_verdict{};
const operator_verdict store_away{kind::unavailable, "unavailable",
                                  "the store does not answer this node: nothing was done", false};
const operator_verdict not_recorded{kind::unavailable, "unavailable",
                                    "the store did not record the order: nothing was done", false};
const operator_verdict too_many{kind::unavailable, "overloaded",
                                "too many orders wait on this node", false};
const operator_verdict no_coordinator{kind::unavailable, "no_coordinator",
                                      "no coordinator is up right now: try again", false};
const operator_verdict coordinator_silent{
    kind::unavailable, "unknown",
    "the coordinator did not confirm the move in time: look where the shard is", false};

/// Who, when, what: before anything is done.
bool record(node_services& node, const operator_wish& what) {
  const auto now = node.clock.now();
  return static_cast<bool>(node.store.record_incident(
      {uuid::v7(now), now, entity_id{entity_kind::house, {}},
       std::string{to_string(what.what)} + "_ordered", to_string(what) + ", by " + what.by}));
}

/// Runs `tell` in the membership actor. False: this node is alone.
bool tell_membership(const node_services& node, std::function<void(membership_actor&)> tell) {
  const auto to = node.membership.get();
  if (to) caf::anon_send(to, member_says{std::move(tell)});
  return static_cast<bool>(to);
}

wire::load_told plain_load(const node_services& node) {
  const auto count = [](const std::atomic<std::int64_t>& which) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, which.load()));
  };
  wire::load_told out;
  out.sessions = count(node.counters.sessions);
  out.tables = count(node.counters.tables);
  out.entities = count(node.counters.entities);
  out.is_suspended = node.is_suspended;
  return out;
}

}  // namespace

// ---- from any thread

void operate(const std::shared_ptr<node_services>& node, operator_wish what,
             operator_answer answered) {
  const bool is_told = tell_membership(
      *node, [what = std::move(what), answered](auto& a) { a.operate(what, answered); });
  if (!is_told)
    answered({kind::refused, "alone", "this node is no member of a cluster right now", false});
}

void report(const std::shared_ptr<node_services>& node, report_answer answered) {
  if (tell_membership(*node, [answered](auto& a) { a.report(answered); })) return;
  cluster_report alone;
  alone.self = node->grant.incarnation;
  alone.now = node->clock.now();
  alone.loads[alone.self] = plain_load(*node);
  answered(alone);
}

void reload_certificates(const std::shared_ptr<node_services>& node) {
  tell_membership(*node, [](auto& a) { a.reload_certificates(); });
}

// ---- the report

void membership_actor::measure() {
  if (!meter_.is_due(now())) return;
  const auto& c = node_->counters;
  load_totals totals{node_->others->count.sent, node_->others->count.received, c.commits, {}};
  for (std::size_t i = 0; i < totals.commit_us_log2.size(); ++i)
    totals.commit_us_log2[i] = c.commit_us_log2[i];
  meter_.sample(now(), totals);
  const auto links = parts_->links->status();
  node_->counters.links_up = std::ranges::count(links, true, &link_status::outgoing);
}

wire::load_told membership_actor::own_load() const {
  auto out = plain_load(*node_);
  const auto rates = meter_.rates();
  out.sent_per_s = rates.sent_per_s;
  out.received_per_s = rates.received_per_s;
  out.commits_per_s = rates.commits_per_s;
  out.commit_us_p50 = rates.commit_us_p50;
  out.commit_us_p99 = rates.commit_us_p99;
  return out;
}

void membership_actor::report(const report_answer& answered) {
  open_report open{{}, {}, answered};
  auto& what = open.so_far;
  what.state = node_->board.get();
  what.self = parts_->self;
  what.is_suspended = node_->is_suspended;
  what.loads[parts_->self] = own_load();
  for (const auto who : node_->others->all()) open.missing.insert(who);
  if (open.missing.empty()) return finish(open);
  const auto asked = open.missing;
  const auto number = reports_.add(std::move(open), now() + report_wait);
  if (number == 0) {
    open_report at_once{std::move(open.so_far), {}, answered};
    return finish(at_once);  // the others' load is missing: better than no answer
  }
  for (const auto who : asked)
    if (node_->others->send(who, wire::ask_load{number}) != peers::sent::queued)
      told_load(number, who, nullptr);
}

void membership_actor::told_load(std::uint64_t number, std::uint64_t from,
                                 const wire::load_told* what) {
  auto* open = reports_.find(number);
  if (open == nullptr || open->missing.erase(from) == 0) return;
  if (what != nullptr) open->so_far.loads[from] = *what;
  if (!open->missing.empty()) return;
  if (auto whole = reports_.take(number)) finish(*whole);
}

void membership_actor::finish(open_report& what) {
  what.so_far.now = node_->clock.now();
  what.so_far.links = parts_->links->status();
  what.so_far.events = node_->events.all();
  what.answered(what.so_far);
}

void membership_actor::hear_word(std::uint64_t from, const wire::ask_load& m) {
  auto mine = own_load();
  mine.number = m.number;
  node_->others->send(from, mine);
}
void membership_actor::hear_word(std::uint64_t from, const wire::load_told& m) {
  told_load(m.number, from, &m);
}

// ---- orders

void membership_actor::operate(const operator_wish& what, const operator_answer& answered) {
  const bool queued = ask_store(
      views_, [](auto& store) { return store.read(0); },
      [what, answered](membership_actor& a, const auto& state) {
        a.on_state(state);
        if (!state) return answered(store_away);
        a.consider(what, answered, std::make_shared<const storage::cluster_state>(*state));
      });
  if (!queued) answered(store_away);
}

void membership_actor::consider(const operator_wish& what, const operator_answer& answered,
                                const state_ptr& state) {
  const auto links = parts_->links->status();
  const auto known = std::ranges::find(links, what.node, &link_status::name);
  if (const auto why = judge(what, *state, parts_->self, known != links.end() && known->outgoing)) {
    if (why->how != kind::done)
      log(severity::warning, "operator.refused",
          to_string(what) + ", by " + what.by + ": " + why->message);
    return answered(*why);
  }
  auto self = caf::actor_cast<caf::actor>(this);
  const bool queued =
      node_->reads.submit([node = node_, self, what, answered, state](storage::reader&) {
        const bool is_recorded = record(*node, what);
        caf::anon_send(self, member_says{[=](membership_actor& a) {
                         if (!is_recorded) return answered(not_recorded);
                         a.log(severity::warning, "operator." + std::string{to_string(what.what)},
                               to_string(what) + ", by " + what.by);
                         a.obey(what, answered, state);
                       }});
      });
  if (!queued) answered(too_many);
}

void membership_actor::obey(const operator_wish& what, const operator_answer& answered,
                            const state_ptr& state) {
  // judge() has found it in this state.
  const auto who =
      std::ranges::find(state->members, what.node, &storage::member::name)->incarnation;
  switch (what.what) {
    case operator_wish::action::drain:
      return change_status(who, storage::member_status::draining, answered);
    case operator_wish::action::undrain:
      return change_status(who, storage::member_status::up, answered);
    case operator_wish::action::remove:
      return remove(who, what, answered);
    case operator_wish::action::move:
      return move(what.shard, who, answered);
  }
}

void membership_actor::change_status(std::uint64_t who, storage::member_status to,
                                     const operator_answer& answered) {
  const bool queued = ask_store(
      changes_,
      [who, to](auto& store) {
        auto changed = store.set_status(who, to);
        return std::pair{std::move(changed), store.read(0)};
      },
      [answered](membership_actor& a, const auto& got) {
        a.caused_news_ = a.caused_news_ || static_cast<bool>(got.first);
        a.on_state(got.second);
        if (got.first) return answered(done_verdict);
        const auto& why = got.first.why();
        const bool is_gone = why.code == storage::errc::fenced;
        answered({is_gone ? kind::refused : kind::unavailable, is_gone ? "gone" : "unavailable",
                  is_gone ? "it has left the cluster meanwhile" : why.message, false});
      });
  if (!queued) answered(store_away);
}

void membership_actor::remove(std::uint64_t who, const operator_wish& what,
                              const operator_answer& answered) {
  const bool queued = ask_store(
      changes_,
      [who, self = parts_->self](auto& store) -> std::pair<storage::result<bool>, state_result> {
        storage::result<bool> done = false;
        const std::vector<std::uint64_t> dead{who};
        for (int attempt = 0; attempt < remove_attempts_max; ++attempt) {
          auto state = store.read(0);  // its lease may have been renewed since it was judged
          if (!state) return {state.why(), std::move(state)};
          const auto at = std::ranges::find(state->members, who, &storage::member::incarnation);
          if (at == state->members.end()) return {true, std::move(state)};  // others were faster
          if (at->lease_until > state->now) break;
          done = store.declare_dead(self, state->version, dead, reassign(*state, dead));
          if (!done || *done) break;
        }
        return {std::move(done), store.read(0)};
      },
      [what, answered](membership_actor& a, const auto& got) {
        const bool is_dead = got.first && *got.first;
        if (is_dead) ++a.node_->counters.deaths;
        a.caused_news_ = a.caused_news_ || is_dead;
        a.on_state(got.second);
        if (is_dead) return answered(done_verdict);
        if (!got.first)
          return answered({kind::unavailable, "unavailable", got.first.why().message});
        answered({kind::refused, "alive",
                  what.node + " renewed its lease meanwhile, or the cluster changed: try again"});
      });
  if (!queued) answered(store_away);
}

void membership_actor::move(shard_id shard, std::uint64_t to, const operator_answer& answered) {
  if (member_.order(shard, to)) return answered(done_verdict);
  const auto coordinator = member_.last_state().coordinator;
  if (coordinator == 0 || coordinator == parts_->self) return answered(no_coordinator);
  const auto number = orders_.add(answered, now() + order_wait);
  if (number == 0) return answered(too_many);
  if (node_->others->send(coordinator, wire::order_move{number, shard, to}) == peers::sent::queued)
    return;
  (void)orders_.take(number);
  answered(no_coordinator);
}

void membership_actor::hear_word(std::uint64_t from, const wire::order_move& m) {
  node_->others->send(from, wire::order_heard{m.number, member_.order(m.shard, m.to)});
}
void membership_actor::hear_word(std::uint64_t, const wire::order_heard& m) {
  if (const auto answered = orders_.take(m.number))
    (*answered)(m.is_taken ? done_verdict : no_coordinator);
}

void membership_actor::end_late_questions() {
  for (auto& each : reports_.take_late(now())) finish(each);
  for (const auto& answered : orders_.take_late(now())) answered(coordinator_silent);
}

// ---- certificates

void membership_actor::reload_certificates() {
  if (!parts_->has_certificates) return;
  if (const auto why = parts_->links->reload_certificates(); !why.empty())
    log(severity::error, "link.certificates_kept", why);
  else
    log(severity::info, "link.certificates_loaded", "connections that exist keep theirs");
}

}  // namespace baraza::cluster
