#include "cluster/link/outboxes.hpp"

#include <algorithm>
#include <utility>

namespace baraza::cluster {

send_result outboxes::push(const std::string& peer, message what, bool& wake) {
  wake = false;
  if (what.bytes.size() > wire::message_bytes_max) return send_result::too_large;
  const std::lock_guard lock{mutex_};
  const auto known = boxes_.find(peer);
  if (known == boxes_.end()) return send_result::not_up;
  auto& box = known->second;
  if (box.waiting.size() >= link_outbox_messages_max ||
      box.bytes + what.bytes.size() > link_outbox_bytes_max)
    return send_result::full;
  box.bytes += what.bytes.size();
  box.waiting.push_back(std::move(what));
  wake = !std::exchange(box.awake, true);
  return send_result::queued;
}

void outboxes::open(const std::string& peer) {
  const std::lock_guard lock{mutex_};
  boxes_.try_emplace(peer);
}

outboxes::owners outboxes::close(const std::string& peer) {
  owners out;
  const std::lock_guard lock{mutex_};
  const auto known = boxes_.find(peer);
  if (known == boxes_.end()) return out;
  for (const auto& one : known->second.waiting) out.push_back(one.owner);
  boxes_.erase(known);
  return out;
}

std::optional<outboxes::message> outboxes::take(const std::string& peer, time_point now,
                                                owners& expired) {
  const std::lock_guard lock{mutex_};
  const auto known = boxes_.find(peer);
  if (known == boxes_.end()) return std::nullopt;
  auto& box = known->second;
  while (!box.waiting.empty()) {
    auto first = std::move(box.waiting.front());
    box.waiting.pop_front();
    box.bytes -= first.bytes.size();
    if (first.deadline > now) return first;
    expired.push_back(first.owner);
  }
  box.awake = false;
  return std::nullopt;
}

outboxes::owners outboxes::expire(time_point now) {
  owners out;
  const std::lock_guard lock{mutex_};
  for (auto& [peer, box] : boxes_)
    std::erase_if(box.waiting, [&, &bytes = box.bytes](const message& one) {
      if (one.deadline > now) return false;
      bytes -= one.bytes.size();
      out.push_back(one.owner);
      return true;
    });
  return out;
}

std::size_t outboxes::bytes(const std::string& peer) const {
  const std::lock_guard lock{mutex_};
  const auto known = boxes_.find(peer);
  return known == boxes_.end() ? 0 : known->second.bytes;
}

}  // namespace baraza::cluster
