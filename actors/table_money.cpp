// Stakes in, and stakes back (rules D1, D2): a saga whose every step is in the journal or
// repeatable under the same ids.
#include <algorithm>

#include "actors/assert.hpp"
#include "actors/limits.hpp"
#include "actors/table_entity.hpp"

namespace baraza::actors {
namespace {

constexpr millis ask_again_ms = 500;
constexpr std::size_t reason_bytes_max = 32;

/// The wallet (or the way to it) says nothing about the stake: it is asked again, under the same
/// id, until the deadline.
bool is_passing(std::string_view code) {
  return code == "overloaded" || code == "paused" || code == "moved" || code == "internal" ||
         code == "unavailable";
}

}  // namespace

void table::ask_for_stakes(std::uint32_t seats, context& ctx) {
  if (!buying_) buying_ = std::make_unique<buying>();
  for (std::size_t i = 0; i < state_.seats.size(); ++i) {
    if ((seats >> i & 1) == 0) continue;
    const wallet_buy_in stake{state_.buy_ins[i], state_.match, state_.escrow(), state_.stake,
                              state_.money};
    ctx.ask({entity_kind::wallet, state_.seats[i].player}, stake, i, due());
  }
}

void table::stake_answered(std::uint8_t seat, const answer& what, context& ctx) {
  const auto bit = 1u << seat;
  const auto* why = std::get_if<refused>(&what);
  if (std::holds_alternative<bought_in>(what)) buying_->paid |= bit;
  if (buying_->voiding || flight_ || (buying_->paid & bit) != 0) {
    if (!buying_->voiding && !flight_ && buying_->paid == state_.seat_mask())
      write_event(table_event::started{}, {}, {}, ctx);
    return;
  }
  if (why != nullptr && is_passing(why->code)) {
    buying_->ask_again |= bit;
    buying_->ask_again_at = ctx.now() + ask_again_ms;
    return arm(ctx);
  }
  // "timeout" says that the outcome is unknown: the void asks the store what has come in.
  const std::string reason = why == nullptr || why->code == "timeout"
                                 ? "buy_in_timeout"
                                 : why->code.substr(0, reason_bytes_max);
  begin_void(reason, bit, ctx);
}

void table::begin_void(std::string_view reason, std::uint32_t who, context& ctx) {
  ENTITY_ASSERT(buying_);
  buying_->voiding = true;
  buying_->reason = reason;
  buying_->who = who;
  std::vector<storage::transfer> refunds;
  const auto escrow = state_.escrow();
  for (std::size_t i = 0; i < state_.seats.size(); ++i) {
    if ((buying_->paid >> i & 1) == 0) continue;
    const auto account = storage::player_account(state_.seats[i].player, state_.money);
    refunds.push_back({uuid::v8(state_.buy_ins[i], "refund"), escrow, account, state_.stake,
                       state_.money, storage::transfer_kind::refund, state_.match});
  }
  write_void(refunds, ctx);
}

void table::transfers_read(std::uint64_t, const std::vector<storage::transfer>& found,
                           context& ctx) {
  if (flight_ || !buying_ || !buying_->voiding) return;
  const auto escrow = state_.escrow();
  std::vector<storage::transfer> refunds;
  for (const auto& in : found) {
    if (in.credit != escrow) continue;
    const auto id = uuid::v8(in.id, "refund");
    if (std::ranges::find(found, id, &storage::transfer::id) != found.end()) continue;
    refunds.push_back(
        {id, escrow, in.debit, in.amount, in.money, storage::transfer_kind::refund, state_.match});
  }
  write_void(refunds, ctx);
}

void table::write_void(const std::vector<storage::transfer>& refunds, context& ctx) {
  table_event::voided event{buying_->reason, buying_->who, {}, revealed_seed()};
  event.refunds.assign(state_.seats.size(), 0);
  for (std::size_t i = 0; i < state_.seats.size(); ++i) {
    const auto account = storage::player_account(state_.seats[i].player, state_.money);
    for (const auto& refund : refunds)
      if (refund.credit == account) event.refunds[i] += refund.amount;
  }
  change what;
  what.transfers = refunds;
  what.closes.push_back(state_.escrow());
  what.wake = storage::commit::wake_change::clear;
  write_event(event, std::move(what), {}, ctx);
}

void table::hint_wallets(const std::vector<storage::balance>& balances, context& ctx) const {
  for (const auto& seat : state_.seats) {
    const auto account = storage::player_account(seat.player, state_.money);
    const auto now = std::ranges::find(balances, account, &storage::balance::account);
    if (now != balances.end())
      ctx.tell({entity_kind::wallet, seat.player}, wallet_credited{*now, state_.money});
  }
}

}  // namespace baraza::actors
