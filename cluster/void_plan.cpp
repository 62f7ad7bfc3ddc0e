#include "cluster/void_plan.hpp"

namespace baraza::cluster {

bool prepare_void(node_services& node, storage::reader& from, commit_ticket& ticket,
                  const entity_id& who, const std::string& why) {
  auto events = from.events(who, 0, 10'000);
  if (!events || events->empty()) return false;
  std::vector<storage::transfer> transfers;
  for (const auto& escrow : node.factory.escrows_of(who, *events)) {
    const auto rows = from.transfers_of(escrow, who.key);
    if (!rows) return false;
    transfers.insert(transfers.end(), rows->begin(), rows->end());
  }
  auto plan = node.factory.plan_void(who, *events, transfers, why, node.clock.now());
  if (!plan) return false;
  auto& work = ticket.work;
  work.entity = who;
  work.shard = node.shard(who);
  work.epoch = node.grant.epoch;
  work.expected_seq = events->back().seq;
  work.events = std::move(plan->events);
  work.opens = std::move(plan->opens);
  work.transfers = std::move(plan->transfers);
  work.closes = std::move(plan->closes);
  work.wake = plan->wake;
  work.snapshot = std::move(plan->snapshot);
  return true;
}

}  // namespace baraza::cluster
