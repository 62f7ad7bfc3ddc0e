#include "cluster/gate_queue.hpp"

#include <algorithm>

#include "cluster/limits.hpp"

namespace baraza::cluster {
namespace {

std::size_t bytes_of(const storage::commit& work) {
  std::size_t bytes = 64 + 96 * work.transfers.size() + (work.snapshot ? work.snapshot->size() : 0);
  for (const auto& event : work.events) bytes += event.size() + 64;
  return bytes;
}

}  // namespace

gate_queue::verdict gate_queue::add(ticket_ptr ticket) {
  if (!barred_.empty()) {
    const auto known = barred_.find(ticket->work.entity);
    if (known != barred_.end() && ticket->activation < known->second) return verdict::stale;
  }
  if (size_ >= waiting_max_) return verdict::full;
  lanes_[writer_of(ticket->work.entity)].waiting.push_back(std::move(ticket));
  ++size_;
  return verdict::queued;
}

std::optional<std::vector<ticket_ptr>> gate_queue::next(std::uint16_t writer) {
  auto& lane = lanes_[writer];
  if (lane.busy || lane.waiting.empty()) return std::nullopt;
  std::vector<ticket_ptr> batch;
  std::deque<ticket_ptr> later;  // would repeat an id inside the batch, or is being changed
  std::unordered_set<uuid> ids;
  std::size_t bytes = 0;
  batch.reserve(std::min(lane.waiting.size(), batch_members_max));
  while (!lane.waiting.empty() && batch.size() < batch_members_max) {
    auto& front = lane.waiting.front();
    auto as_it_was = commit_ticket::hold::open;
    if (!front->held.compare_exchange_strong(as_it_was, commit_ticket::hold::sealed,
                                             std::memory_order_acquire) &&
        as_it_was == commit_ticket::hold::changing) {
      later.push_back(std::move(front));
      lane.waiting.pop_front();
      continue;
    }
    const auto& work = front->work;
    const auto size = bytes_of(work);
    if (!batch.empty() && bytes + size > batch_bytes_max) break;
    bool repeats = false;
    for (const auto& transfer : work.transfers) repeats = repeats || ids.contains(transfer.id);
    for (const auto& open : work.opens) repeats = repeats || ids.contains(open.id);
    if (repeats) {
      later.push_back(std::move(front));
    } else {
      for (const auto& transfer : work.transfers) ids.insert(transfer.id);
      for (const auto& open : work.opens) ids.insert(open.id);
      bytes += size;
      batch.push_back(std::move(front));
    }
    lane.waiting.pop_front();
  }
  while (!later.empty()) {
    lane.waiting.push_front(std::move(later.back()));
    later.pop_back();
  }
  if (batch.empty()) return batch;
  size_ -= batch.size();
  lane.busy = true;
  return batch;
}

std::vector<bar> gate_queue::flushed(std::uint16_t writer) {
  auto& lane = lanes_[writer];
  lane.busy = false;
  return std::exchange(lane.bars, {});
}

bool gate_queue::raise_bar(const bar& what, std::vector<ticket_ptr>& dropped) {
  auto& earliest = barred_[what.who];
  earliest = std::max(earliest, what.earliest);
  auto& lane = lanes_[writer_of(what.who)];
  for (auto item = lane.waiting.begin(); item != lane.waiting.end();) {
    if ((*item)->work.entity == what.who && (*item)->activation < earliest) {
      dropped.push_back(std::move(*item));
      item = lane.waiting.erase(item);
      --size_;
    } else {
      ++item;
    }
  }
  if (!lane.busy) return true;
  lane.bars.push_back(what);
  return false;
}

void gate_queue::drop_shard(shard_id shard, std::vector<ticket_ptr>& dropped) {
  for (auto& lane : lanes_) {
    const auto theirs = std::stable_partition(
        lane.waiting.begin(), lane.waiting.end(),
        [&](const ticket_ptr& ticket) { return ticket->work.shard != shard; });
    size_ -= static_cast<std::size_t>(lane.waiting.end() - theirs);
    std::move(theirs, lane.waiting.end(), std::back_inserter(dropped));
    lane.waiting.erase(theirs, lane.waiting.end());
  }
}

bool gate_queue::idle() const {
  return size_ == 0 &&
         std::none_of(lanes_.begin(), lanes_.end(), [](const lane& l) { return l.busy; });
}

}  // namespace baraza::cluster
