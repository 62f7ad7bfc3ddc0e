#include "actors/table_void.hpp"

#include <algorithm>
#include <exception>

#include "actors/table_events.hpp"
#include "actors/table_state.hpp"

namespace baraza::actors {
namespace {

constexpr std::size_t reason_bytes_max = 200;

/// Why a fold failed may hold any bytes; the journal's text holds readable ones.
std::string plain(std::string_view reason) {
  std::string out{reason.substr(0, reason_bytes_max)};
  for (auto& c : out)
    if (c < 0x20 || c > 0x7E) c = '?';
  return out;
}

bool ends_match(const storage::journal_event& event) {
  const auto kind = table_event::kind_of(event.payload);
  return kind == table_event::kind::ended || kind == table_event::kind::aborted ||
         kind == table_event::kind::voided;
}

/// As far as it can be read: the game's own events are passed over.
table_state readable(const uuid& match, const std::vector<storage::journal_event>& journal,
                     const cluster_key* key) {
  table_state state{match, key, nullptr};
  for (const auto& event : journal) {
    try {
      state.fold(event.seq, event.payload);
    } catch (const std::exception&) {
      state.seq = event.seq;  // what cannot be read does not keep the stakes
    }
  }
  return state;
}

std::vector<storage::transfer> refunds_of(const uuid& match,
                                          const std::vector<storage::transfer>& escrow) {
  std::vector<storage::transfer> out;
  const auto is_escrow = [&](const storage::transfer& t) {
    return t.credit == storage::escrow_account(match, t.money);
  };
  for (const auto& in : escrow) {
    if (!is_escrow(in)) continue;
    const auto id = uuid::v8(in.id, "refund");
    if (std::ranges::find(escrow, id, &storage::transfer::id) != escrow.end()) continue;
    out.push_back(
        {id, in.credit, in.debit, in.amount, in.money, storage::transfer_kind::refund, match});
  }
  return out;
}

}  // namespace

std::vector<storage::account_id> escrows_of(const uuid& match,
                                            const std::vector<storage::journal_event>& journal) {
  try {
    if (!journal.empty()) {
      const auto first = table_event::decode(journal.front().payload);
      if (const auto* created = std::get_if<table_event::created>(&first.what))
        return {storage::escrow_account(match, created->money)};
    }
  } catch (const std::exception&) {  // what cannot be read does not keep the stakes
  }
  return {storage::escrow_account(match, storage::currency::demo),
          storage::escrow_account(match, storage::currency::kes)};
}

std::optional<void_plan> plan_void(const entity_id& table, std::uint64_t head,
                                   const std::vector<storage::journal_event>& journal,
                                   const std::vector<storage::transfer>& escrow,
                                   std::string_view reason, const cluster_key* key, millis now) {
  if (std::ranges::any_of(journal, ends_match)) return std::nullopt;
  auto state = readable(table.key, journal, key);
  const bool created = state.now != phase::none;
  if (!created && escrow.empty()) return std::nullopt;

  void_plan plan;
  plan.what.transfers = refunds_of(table.key, escrow);
  table_event::voided event{plain(reason), 0, {}, state.server_seed()};
  event.refunds.assign(state.seats.size(), 0);
  plan.money = state.money;
  for (std::size_t i = 0; i < state.seats.size(); ++i) {
    plan.credited.push_back(state.seats[i].player);
    const auto account = storage::player_account(state.seats[i].player, state.money);
    for (const auto& refund : plan.what.transfers)
      if (refund.credit == account) event.refunds[i] += refund.amount;
  }
  plan.what.events.push_back(table_event::encode(now, event));
  plan.what.closes.push_back(
      storage::escrow_account(table.key, created ? state.money : escrow.front().money));
  plan.what.wake = storage::commit::wake_change::clear;
  state.fold(head + 1, plan.what.events.back());
  plan.what.snapshot = state.snapshot();
  return plan;
}

}  // namespace baraza::actors
