#include "cluster/membership/shard_keeper.hpp"

#include <algorithm>

namespace baraza::cluster {

using storage::shard_row;

std::string_view to_string(shard_phase phase) {
  static constexpr std::string_view names[] = {"closed",   "taking",   "opening",  "open",
                                               "draining", "flushing", "releasing"};
  return names[static_cast<std::size_t>(phase)];
}

shard_keeper::actions shard_keeper::row(const shard_row& row, time_point now) {
  auto& s = shards_.at(row.id);
  if (row.epoch < s.epoch) return {};
  switch (s.phase) {
    case shard_phase::closed:
    case shard_phase::taking:
      // Our own last epoch, released: only a higher one can be ours again.
      if (row.owner == self_)
        return row.epoch > s.epoch ? start_opening(row.id, row.epoch) : actions{};
      if (row.owner == 0 && row.next_owner == self_) {
        if (s.phase == shard_phase::taking && s.epoch == row.epoch) return {};
        return start_taking(row.id, row.epoch, now);
      }
      if (row.owner != 0 || s.phase == shard_phase::closed) {
        const auto lost_to = row.owner != 0 && row.epoch > s.epoch;
        if (s.phase == shard_phase::taking && !lost_to) return {};
        s = {.phase = shard_phase::closed, .epoch = row.epoch};
      }
      return {};
    case shard_phase::opening:
    case shard_phase::open:
    case shard_phase::draining:
    case shard_phase::flushing:
      if (row.owner == self_ && row.epoch == s.epoch) return {};
      return {stop_node{"shard " + std::to_string(row.id) + " was taken from this node at epoch " +
                        std::to_string(s.epoch)}};
    case shard_phase::releasing:
      if (row.owner == self_ && row.epoch == s.epoch) return {};  // has not landed, or is old news
      return released(row.id, row, now);
  }
  return {};
}

shard_keeper::actions shard_keeper::released(shard_id shard, const shard_row& row, time_point now) {
  auto& s = shards_[shard];
  const auto epoch = s.epoch;
  s = {.phase = shard_phase::closed, .epoch = epoch};
  actions out;
  if (row.owner != self_) out.push_back(announce_row{row});
  for (auto& next : this->row(row, now)) out.push_back(std::move(next));  // perhaps ours again
  return out;
}

shard_keeper::actions shard_keeper::claim(shard_id shard, std::uint64_t epoch, time_point now) {
  const auto& s = shards_.at(shard);
  if (s.phase != shard_phase::closed || epoch < s.epoch) return {};
  return start_taking(shard, epoch, now);
}

shard_keeper::actions shard_keeper::start_taking(shard_id shard, std::uint64_t epoch,
                                                 time_point now) {
  shards_[shard] = {shard_phase::taking, epoch, 0, now + phase_overdue};
  return {take_shard{shard, epoch}};
}

shard_keeper::actions shard_keeper::start_opening(shard_id shard, std::uint64_t epoch) {
  shards_[shard] = {.phase = shard_phase::opening, .epoch = epoch};
  return {open_gate{shard, epoch}};
}

void shard_keeper::store_failed(shard_id shard, time_point now) {
  auto& s = shards_.at(shard);
  if (s.phase == shard_phase::taking || s.phase == shard_phase::releasing)
    s.due = now + release_retry;
}

shard_keeper::actions shard_keeper::wakes_loaded(shard_id shard, std::uint64_t epoch) {
  if (!is(shard, shard_phase::opening, epoch)) return {};
  shards_[shard].phase = shard_phase::open;
  return {serve_shard{shard, epoch}};
}

bool shard_keeper::obeys(std::uint64_t coordinator_epoch) {
  coordinator_epoch_ = std::max(coordinator_epoch_, coordinator_epoch);
  return coordinator_epoch == coordinator_epoch_;
}

bool shard_keeper::hand_off(shard_id shard, std::uint64_t epoch, std::uint64_t to,
                            std::uint64_t coordinator_epoch, time_point now, actions& out) {
  if (!obeys(coordinator_epoch) || to == self_) return false;
  auto& s = shards_.at(shard);
  if (s.epoch != epoch) return false;
  switch (s.phase) {
    case shard_phase::open:
      s = {shard_phase::draining, epoch, to, now + drain_limit};
      out.push_back(stop_entities{shard, epoch, false});
      return true;
    case shard_phase::draining:
    case shard_phase::flushing:
      s.to = to;
      return true;
    case shard_phase::releasing:
      return true;  // under way with the taker it had; should that one be dead, an heir takes it
    default:
      return false;
  }
}

void shard_keeper::give_up(time_point now, actions& out) {
  for (shard_id shard = 0; shard < shards_.size(); ++shard) {
    auto& s = shards_[shard];
    if (s.phase != shard_phase::open) continue;
    s = {shard_phase::draining, s.epoch, 0, now + drain_limit};
    out.push_back(stop_entities{shard, s.epoch, false});
  }
}

bool shard_keeper::call_off(shard_id shard, std::uint64_t epoch, std::uint64_t coordinator_epoch,
                            actions& out) {
  if (!obeys(coordinator_epoch) || !is(shard, shard_phase::draining, epoch)) return false;
  shards_[shard] = {.phase = shard_phase::open, .epoch = epoch};
  out.push_back(serve_shard{shard, epoch});
  return true;
}

shard_keeper::actions shard_keeper::entities_stopped(shard_id shard, std::uint64_t epoch) {
  if (!is(shard, shard_phase::draining, epoch)) return {};
  return start_flushing(shard, false);
}

shard_keeper::actions shard_keeper::start_flushing(shard_id shard, bool at_once) {
  auto& s = shards_[shard];
  s.phase = shard_phase::flushing;
  s.due.reset();
  actions out;
  if (at_once) out.push_back(stop_entities{shard, s.epoch, true});
  out.push_back(close_gate{shard, s.epoch});
  return out;
}

shard_keeper::actions shard_keeper::gate_empty(shard_id shard, std::uint64_t epoch,
                                               time_point now) {
  if (!is(shard, shard_phase::flushing, epoch)) return {};
  auto& s = shards_[shard];
  s.phase = shard_phase::releasing;
  s.due = now + phase_overdue;
  return {release_shard{shard, epoch, s.to}};
}

shard_keeper::actions shard_keeper::tick(time_point now) {
  actions out;
  for (shard_id shard = 0; shard < shards_.size(); ++shard) {
    auto& s = shards_[shard];
    if (!s.due || now < *s.due) continue;
    switch (s.phase) {
      case shard_phase::draining:
        for (auto& action : start_flushing(shard, true)) out.push_back(std::move(action));
        break;
      case shard_phase::taking:
        s.due = now + phase_overdue;
        out.push_back(take_shard{shard, s.epoch});
        break;
      case shard_phase::releasing:
        s.due = now + phase_overdue;
        out.push_back(release_shard{shard, s.epoch, s.to});
        break;
      default:
        s.due.reset();
    }
  }
  return out;
}

std::optional<shard_keeper::time_point> shard_keeper::next_look() const {
  std::optional<time_point> next;
  for (const auto& s : shards_)
    if (s.due && (!next || *s.due < *next)) next = s.due;
  return next;
}

shard_keeper::route shard_keeper::route_of(shard_id shard) const {
  switch (shards_.at(shard).phase) {
    case shard_phase::open:
      return route::deliver;
    case shard_phase::taking:
    case shard_phase::opening:
      return route::hold;
    case shard_phase::draining:
    case shard_phase::flushing:
    case shard_phase::releasing:
      return route::moving;
    case shard_phase::closed:
      break;
  }
  return route::elsewhere;
}

std::uint64_t shard_keeper::epoch_of(shard_id shard) const {
  const auto& s = shards_.at(shard);
  return s.phase == shard_phase::closed || s.phase == shard_phase::taking ? 0 : s.epoch;
}

bool shard_keeper::is_empty() const {
  return std::ranges::all_of(shards_, [](const one& s) { return s.phase == shard_phase::closed; });
}

}  // namespace baraza::cluster
