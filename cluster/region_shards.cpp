// Which shards are here, and what becomes of requests for those that are not: sent on, held for a
// moment, or refused.
#include <caf/send.hpp>
#include <unordered_set>

#include "cluster/peers.hpp"
#include "cluster/region_actor.hpp"
#include "cluster/wake_scan.hpp"

namespace baraza::cluster {

using actors::refused;

namespace {
const refused paused{"paused", "this table or wallet is on its way to another node", 300};
}

void region_actor::prepare_spots() {
  spots_.resize(node_->shards);
  if (node_->others) {
    view_ = std::make_unique<shard_view>(node_->grant.incarnation, node_->shards);
    return;
  }
  for (auto& at : spots_) at = {spot::phase::deliver, node_->grant.epoch, 0, false};
}

caf::message_handler region_actor::shard_behavior() {
  return {
      [this](remote_in& m) { take_remote(m); },
      [this](shard_steps& m) { carry_out(m); },
      [this](const places_told& m) { hear_places(m); },
      [this](const peer_reached& m) { hear_peer(m); },
      [this](const shards_loaded& m) {
        loading_wakes_ = false;
        if (m.done) {
          caf::anon_send(node_->membership.get(), m);
          return load_opened();
        }
        opened_.insert(opened_.end(), m.what.begin(), m.what.end());  // with the next look
      },
  };
}

// ---- requests

bool region_actor::place(envelope_ptr& what) {
  const auto shard = node_->shard(what->to);
  switch (spots_[shard].now) {
    case spot::phase::deliver:
      if (!node_->is_suspended.load(std::memory_order_relaxed)) return true;
      refuse(*what, {"paused", "the store does not answer this node", 500});
      return false;
    case spot::phase::elsewhere:
      what->sender == 0 ? forward(shard, std::move(what)) : send_back(shard, std::move(what));
      return false;
    case spot::phase::hold:
    case spot::phase::moving:
      break;
  }
  hold(shard, std::move(what));
  return false;
}

void region_actor::forward(shard_id shard, envelope_ptr what) {
  const auto& at = view_->at(shard);
  if (at.owner == 0 || at.owner == node_->grant.incarnation) return hold(shard, std::move(what));
  wire::message m;
  m.about.epoch = at.epoch;
  m.about.to = what->to;
  m.about.deadline = what->deadline;
  m.about.from.to = what->from;
  m.about.cause = {what->origin.edge, what->origin.session, what->origin.request,
                   what->origin.http ? *what->origin.http : std::string{}};
  m.what = what->what;
  switch (node_->others->send(at.owner, std::move(m), shard_hold_max)) {
    case peers::sent::queued:
      return;
    case peers::sent::not_up:  // it may just have died: whoever takes over will get it
      return hold(shard, std::move(what));
    case peers::sent::full:
      ++node_->counters.overloaded;
      return refuse(*what, {"overloaded", "too much waits for the node of this table", 500});
    case peers::sent::too_large:
      return refuse(*what, {"too_large", "this request is too large", 0});
  }
}

/// Lost if its way is not clear: the asker asks again.
void region_actor::forward_answer(answer_in& m) {
  const auto& at = view_->at(node_->shard(m.to));
  if (at.owner == 0 || at.owner == node_->grant.incarnation) return;
  wire::message out;
  out.about.epoch = at.epoch;
  out.about.to = m.to;
  out.about.from.to.entity = m.to;
  out.about.from.to.request = m.correlation;
  out.what = std::move(m.what);
  (void)node_->others->send(at.owner, std::move(out), shard_hold_max);
}

/// To the node that sent it, which knows by now less than we: a request makes one hop only, as its
/// reply address counts for the first two nodes alone.
void region_actor::send_back(shard_id shard, envelope_ptr what) {
  const auto& at = view_->at(shard);
  if (at.owner == 0 || at.owner == node_->grant.incarnation) return hold(shard, std::move(what));
  wire::message out;
  out.about.to = what->to;
  out.what = wire::moved{shard, at.version, at.epoch, at.owner, at.next_owner};
  (void)node_->others->send(what->sender, std::move(out), shard_hold_max);
}

void region_actor::hold(shard_id shard, envelope_ptr what) {
  auto& all = held_[shard];
  if (held_count_ >= region_stash_max || all.size() >= shard_stash_max) {
    ++node_->counters.overloaded;
    return refuse(*what, {"overloaded", "too many requests wait for this table's node", 500});
  }
  all.push_back({std::move(what), cluster_clock::steady()});
  ++held_count_;
}

void region_actor::flush_held(shard_id shard) {
  const auto known = held_.find(shard);
  if (known == held_.end()) return;
  auto all = std::move(known->second);
  held_.erase(known);
  held_count_ -= all.size();
  for (auto& one : all) route(std::move(one.what));
}

void region_actor::take_remote(remote_in& m) {
  const auto shard = node_->shard(m.what->to);
  if (spots_[shard].now == spot::phase::elsewhere &&
      view_->judge(shard, m.epoch, m.view) == arrival::refresh) {
    caf::anon_send(node_->membership.get(), control_in{m.what->sender, m.view, wire::view_news{}});
    return hold(shard, std::move(m.what));
  }
  route(std::move(m.what));
}

// ---- a shard's steps

void region_actor::carry_out(shard_steps& m) {
  std::vector<shard_id> stopped, stopped_at_once;
  for (const auto& step : m.what) {
    if (const auto* opens = std::get_if<open_gate>(&step)) {
      open(opens->shard, opens->epoch);
    } else if (const auto* serves = std::get_if<serve_shard>(&step)) {
      serve(serves->shard);
    } else if (const auto* stops = std::get_if<stop_entities>(&step)) {
      (stops->at_once ? stopped_at_once : stopped).push_back(stops->shard);
    }
  }
  if (!stopped.empty()) stop_shards(stopped, false);
  if (!stopped_at_once.empty()) stop_shards(stopped_at_once, true);
  load_opened();
}

void region_actor::open(shard_id shard, std::uint64_t epoch) {
  spots_[shard] = {spot::phase::hold, epoch, spots_[shard].blocked_since, spots_[shard].pause_told};
  opened_.emplace_back(shard, epoch);
}

/// One job for all that were opened since the last: a death brings hundreds at once, and until
/// their wake rows are in the wheel nothing of them is served (rule B6).
void region_actor::load_opened() {
  if (loading_wakes_ || opened_.empty()) return;
  loading_wakes_ = true;
  read_opened(node_, caf::actor_cast<caf::actor>(this), std::exchange(opened_, {}));
}

void region_actor::serve(shard_id shard) {
  auto& at = spots_[shard];
  at.now = spot::phase::deliver;
  at.blocked_since = 0;
  at.pause_told = false;
  flush_held(shard);
  tell_gateway({shard}, false);
}

void region_actor::stop_shards(const std::vector<shard_id>& which, bool at_once) {
  const std::unordered_set<shard_id> shards{which.begin(), which.end()};
  for (const auto shard : which) {
    auto& at = spots_[shard];
    at.now = spot::phase::moving;
    if (at.blocked_since == 0) at.blocked_since = cluster_clock::steady();
    departing_[shard];
  }
  for (auto known = slots_.begin(); known != slots_.end();) {
    auto& [who, at] = *known;
    const auto shard = node_->shard(who);
    if (!shards.contains(shard)) {
      ++known;
      continue;
    }
    auto waiting = std::move(at.waiting);
    if (waiting) {
      stashed_ -= waiting->size();
      for (auto& what : *waiting) hold(shard, std::move(what));
    }
    if (at.host) {
      if (at.now != phase::departing) ++departing_[shard];
      at.now = phase::departing;
      caf::anon_send(at.host, leave_shard{at_once});
      ++known;
    } else {  // restarting, quarantined or voided: its next owner decides anew
      known = slots_.erase(known);
    }
  }
  for (const auto shard : which) {
    if (!at_once && departing_[shard] != 0) continue;
    departing_.erase(shard);
    if (!at_once)
      caf::anon_send(node_->membership.get(), shard_stopped{shard, spots_[shard].epoch});
  }
}

void region_actor::departed(const entity_id& who) {
  const auto shard = node_->shard(who);
  slots_.erase(who);
  const auto left = departing_.find(shard);
  if (left == departing_.end() || --left->second != 0) return;
  departing_.erase(left);
  caf::anon_send(node_->membership.get(), shard_stopped{shard, spots_[shard].epoch});
}

// ---- the others

void region_actor::hear_places(const places_told& m) {
  if (m.has_adopted)  // what the dead were loading may have ended them
    loads_.be_careful(cluster_clock::steady() +
                      std::chrono::milliseconds{careful_after_death}.count());
  std::vector<shard_id> reachable;
  for (const auto& [shard, place] : m.what) {
    const auto before = view_->at(shard);
    view_->learn(shard, place);
    auto& at = spots_[shard];
    const bool is_others = place.owner != 0 && place.owner != node_->grant.incarnation;
    if (is_others && at.now == spot::phase::moving) at.now = spot::phase::elsewhere;
    if (place.owner == 0 && at.blocked_since == 0) at.blocked_since = cluster_clock::steady();
    if (!is_others || at.now != spot::phase::elsewhere) continue;
    const bool has_moved = before.owner != place.owner || before.epoch != place.epoch;
    if (has_moved) reachable.push_back(shard);
  }
  for (const auto shard : reachable) {
    spots_[shard].blocked_since = 0;
    spots_[shard].pause_told = false;
    flush_held(shard);
  }
  tell_gateway(std::move(reachable), false);
}

void region_actor::hear_peer(const peer_reached& m) {
  auto theirs = view_->owned_by(m.peer);
  const auto now = cluster_clock::steady();
  for (const auto shard : theirs) {
    auto& at = spots_[shard];
    if (!m.is_up && at.blocked_since == 0) at.blocked_since = now;
    if (m.is_up) at.blocked_since = 0, at.pause_told = false;
  }
  if (!m.is_up) return;
  for (const auto shard : theirs) flush_held(shard);
  tell_gateway(std::move(theirs), false);  // what was sent before the link broke may be lost
}

void region_actor::look_at_held(millis steady) {
  next_look_ = steady + std::chrono::milliseconds{shard_look_every}.count();
  load_opened();
  const auto oldest = steady - std::chrono::milliseconds{shard_hold_max}.count();
  std::vector<envelope_ptr> late;
  for (auto known = held_.begin(); known != held_.end();) {
    auto& all = known->second;
    const auto fresh =
        std::find_if(all.begin(), all.end(), [&](const held& one) { return one.since > oldest; });
    for (auto one = all.begin(); one != fresh; ++one) late.push_back(std::move(one->what));
    held_count_ -= static_cast<std::size_t>(fresh - all.begin());
    all.erase(all.begin(), fresh);
    known = all.empty() ? held_.erase(known) : std::next(known);
  }
  node_->counters.held = static_cast<std::int64_t>(held_count_);
  for (const auto& what : late) refuse(*what, paused);
  std::vector<shard_id> silent;
  const auto told = steady - std::chrono::milliseconds{shard_pause_told}.count();
  for (shard_id shard = 0; shard < spots_.size(); ++shard) {
    auto& at = spots_[shard];
    if (at.blocked_since == 0 || at.blocked_since > told || at.pause_told) continue;
    at.pause_told = true;
    silent.push_back(shard);
  }
  tell_gateway(std::move(silent), true);
}

void region_actor::tell_gateway(std::vector<shard_id> shards, bool is_paused) {
  if (shards.empty()) return;
  caf::anon_send(
      node_->gateway(own_edge),
      shards_changed{std::make_shared<const std::vector<shard_id>>(std::move(shards)), is_paused});
}

}  // namespace baraza::cluster
