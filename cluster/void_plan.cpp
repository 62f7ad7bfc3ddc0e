#include "cluster/void_plan.hpp"

#include <iterator>

namespace baraza::cluster {

void_outlook prepare_void(node_services& node, storage::reader& from, void_ticket& ticket,
                          const entity_id& who, const std::string& why) {
  ticket.why = why;
  std::vector<storage::journal_event> events;
  for (;;) {
    auto page = from.events(who, events.empty() ? 0 : events.back().seq, 10'000);
    if (!page) return void_outlook::store_away;
    if (page->empty()) break;
    std::move(page->begin(), page->end(), std::back_inserter(events));
  }
  if (events.empty()) return void_outlook::impossible;
  std::vector<storage::transfer> transfers;
  for (const auto& escrow : node.factory.escrows_of(who, events)) {
    const auto rows = from.transfers_of(escrow, who.key);
    if (!rows) return void_outlook::store_away;
    transfers.insert(transfers.end(), rows->begin(), rows->end());
  }
  auto plan = node.factory.plan_void(who, events, transfers, why, node.clock.now());
  if (!plan) return void_outlook::impossible;
  auto& work = ticket.work;
  work.entity = who;
  work.shard = node.shard(who);
  work.expected_seq = events.back().seq;
  work.events = std::move(plan->what.events);
  work.opens = std::move(plan->what.opens);
  work.transfers = std::move(plan->what.transfers);
  work.closes = std::move(plan->what.closes);
  work.wake = plan->what.wake;
  work.snapshot = std::move(plan->what.snapshot);
  ticket.credited = std::move(plan->credited);
  ticket.money = plan->money;
  return void_outlook::planned;
}

std::vector<envelope_ptr> wallet_hints(const void_ticket& ticket) {
  std::vector<envelope_ptr> out;
  if (ticket.result.code != storage::errc::none) return out;
  for (const auto& player : ticket.credited) {
    const auto account = storage::player_account(player, ticket.money);
    for (const auto& now : ticket.result.balances) {
      if (now.account != account) continue;
      out.push_back(std::make_shared<envelope>());
      out.back()->to = {entity_kind::wallet, player};
      out.back()->what = actors::wallet_credited{now, ticket.money};
    }
  }
  return out;
}

}  // namespace baraza::cluster
