#include "cluster/membership/failure_detector.hpp"

#include <algorithm>

namespace baraza::cluster {

using storage::vote_kind;

void failure_detector::set_members(const std::vector<storage::member>& members, time_point now) {
  std::vector<std::uint64_t> alive;
  for (const auto& m : members)
    if (m.status != storage::member_status::joining || m.incarnation == self_)
      alive.push_back(m.incarnation);
  ring_ = ring{alive};
  std::erase_if(peers_,
                [&](const auto& p) { return std::ranges::find(alive, p.first) == alive.end(); });
  for (const auto who : alive)
    if (who != self_) peers_.try_emplace(who).first->second.watched = false;
  for (const auto who : ring_.after(self_, options_.targets)) {
    auto& p = peers_.at(who);
    p.watched = true;
    if (!p.next) p.next = now;
  }
}

void failure_detector::link_lost(std::uint64_t peer, time_point now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || found->second.at != phase::calm || found->second.follow_up) return;
  found->second.follow_up = now + head_start(peer);
}

std::chrono::milliseconds failure_detector::head_start(std::uint64_t target) const {
  const auto rank = ring_.rank(self_, target).value_or(0);
  if (rank < options_.targets) return 0ms;
  const auto places = static_cast<std::int64_t>(rank - options_.targets + 1);
  return std::min<std::chrono::milliseconds>(places * watcher_head_start, watcher_head_start_max);
}

void failure_detector::answered(std::uint64_t target, std::uint64_t number, bool suspended,
                                time_point now) {
  const auto found = peers_.find(target);
  if (found == peers_.end()) return;
  auto& p = found->second;
  if (number > numbers_) return;  // never sent: not an answer
  if (p.voted && !(suspended && p.suspended)) {
    withdrawals_.push_back(target);
    p.voted = false;
  }
  p.at = phase::calm;
  p.suspended = suspended;
  p.misses = 0;
  p.follow_up.reset();
  if (!suspended) p.next_vote.reset();
  p.waiting.clear();
  if (p.watched) p.next = std::min(p.next.value_or(now + options_.every), now + options_.every);
}

void failure_detector::unreachable(std::uint64_t target, std::uint64_t number, time_point now) {
  const auto found = peers_.find(target);
  if (found == peers_.end()) return;
  for (auto& sent : found->second.waiting)
    if (sent.number == number) sent.until = std::min(sent.until, now);
}

std::vector<detector_action> failure_detector::tick(time_point now, bool may_judge) {
  std::vector<detector_action> out;
  if (last_tick_ && now - *last_tick_ > options_.own_pause) forgive_own_pause(now);
  last_tick_ = now;
  for (const auto who : withdrawals_) out.push_back(withdraw_vote{who});
  withdrawals_.clear();
  for (auto& [who, p] : peers_) look_at(who, p, now, may_judge, out);
  return out;
}

void failure_detector::forgive_own_pause(time_point now) {
  for (auto& [who, p] : peers_) {
    if (p.voted) withdrawals_.push_back(who);
    p = {.watched = p.watched, .next = p.watched ? std::optional{now} : std::nullopt};
  }
}

void failure_detector::look_at(std::uint64_t who, peer& p, time_point now, bool may_judge,
                               std::vector<detector_action>& out) {
  if (p.follow_up && now >= *p.follow_up) {
    p.follow_up.reset();
    if (p.at == phase::calm) {
      p.at = phase::doubted;
      p.waiting.clear();
      out.push_back(send_probe{who, start_probe(p, now + options_.urgent_timeout)});
    }
  }
  expire(p, now);
  if (p.at == phase::calm) {
    probe_steadily(who, p, now, out);
    // Only of one that we keep asking: what it said long ago may be over.
    if (p.suspended && p.watched && now >= p.next_vote.value_or(now)) {
      if (may_judge)
        vote(who, p, vote_kind::store_lost, now, out);
      else if (p.next_vote)
        p.next_vote = now + accuse_every;
    }
  } else {
    advance(who, p, now, out);
  }
}

void failure_detector::expire(peer& p, time_point now) {
  const auto over = std::erase_if(p.waiting, [&](const auto& sent) { return now >= sent.until; });
  if (p.at == phase::calm) p.misses += over;
}

void failure_detector::probe_steadily(std::uint64_t who, peer& p, time_point now,
                                      std::vector<detector_action>& out) {
  if (!p.watched) return;
  if (p.misses >= options_.misses_max) {
    p.at = phase::doubted;  // the steady probes were the direct try
    p.waiting.clear();
    advance(who, p, now, out);
  } else if (now >= p.next.value_or(now) && p.waiting.size() <= options_.misses_max) {
    p.next = now + options_.every;
    out.push_back(send_probe{who, start_probe(p, now + options_.timeout)});
  }
}

void failure_detector::advance(std::uint64_t who, peer& p, time_point now,
                               std::vector<detector_action>& out) {
  if (p.at == phase::doubted && p.waiting.empty()) ask_helpers(who, p, now, out);
  if (p.at == phase::asked && p.waiting.empty()) {
    p.at = phase::accused;
    vote(who, p, vote_kind::silent, now, out);
  } else if (p.at == phase::accused && now >= p.next_vote.value_or(now)) {
    // Repeated, with a probe beside it: the one way back, should it have been a long pause.
    p.waiting.clear();
    out.push_back(send_probe{who, start_probe(p, now + options_.timeout)});
    vote(who, p, vote_kind::silent, now, out);
  }
}

void failure_detector::ask_helpers(std::uint64_t who, peer& p, time_point now,
                                   std::vector<detector_action>& out) {
  p.at = phase::asked;
  std::size_t asked = 0;
  for (const auto helper : ring_.after(self_, ring_.size())) {
    if (asked == options_.helpers) break;
    if (helper == who || doubts(helper)) continue;
    ++asked;
    const auto until = now + (p.misses > 0 ? options_.timeout : 2 * options_.urgent_timeout);
    out.push_back(ask_helper{helper, who, start_probe(p, until)});
  }
}

void failure_detector::vote(std::uint64_t who, peer& p, vote_kind kind, time_point now,
                            std::vector<detector_action>& out) {
  p.voted = true;
  p.next_vote = now + accuse_every;
  out.push_back(accuse{who, kind});
}

std::uint64_t failure_detector::start_probe(peer& p, time_point until) {
  p.waiting.push_back({++numbers_, until});
  return numbers_;
}

bool failure_detector::doubts(std::uint64_t peer) const {
  const auto found = peers_.find(peer);
  return found != peers_.end() && (found->second.at != phase::calm || found->second.follow_up);
}

bool failure_detector::accuses(std::uint64_t peer) const {
  const auto found = peers_.find(peer);
  return found != peers_.end() && found->second.voted;
}

failure_detector::time_point failure_detector::next_look() const {
  // Never later than half the pause that would be taken for our own.
  auto next = last_tick_.value_or(time_point{}) + options_.own_pause / 2;
  if (!withdrawals_.empty()) next = time_point{};
  for (const auto& [who, p] : peers_) {
    if (p.next && p.watched && p.at == phase::calm) next = std::min(next, *p.next);
    if (p.next_vote && (p.at == phase::accused || (p.suspended && p.watched)))
      next = std::min(next, *p.next_vote);
    if (p.follow_up) next = std::min(next, *p.follow_up);
    for (const auto& sent : p.waiting) next = std::min(next, sent.until);
  }
  return next;
}

}  // namespace baraza::cluster
