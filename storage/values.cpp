// Names of codes and kinds, and the derived account ids, shared by every store.
#include <algorithm>

#include "storage/membership.hpp"
#include "storage/migrations.hpp"
#include "storage/store.hpp"

namespace baraza::storage {
namespace {

constexpr currency currencies[] = {currency::demo, currency::kes};
constexpr account_kind system_kinds[] = {account_kind::rake, account_kind::float_,
                                         account_kind::suspense, account_kind::bonus,
                                         account_kind::tax};

/// Part of derived ids: a change here would lose every account.
std::string_view id_word(account_kind kind) {
  switch (kind) {
    case account_kind::player:
      return "player";
    case account_kind::escrow:
      return "escrow";
    case account_kind::prize:
      return "prize";
    case account_kind::rake:
      return "rake";
    case account_kind::float_:
      return "float";
    case account_kind::suspense:
      return "suspense";
    case account_kind::bonus:
      return "bonus";
    case account_kind::tax:
      return "tax";
  }
  return "unknown";
}

account_id derived(const uuid& parent, account_kind kind, currency money) {
  std::string purpose{"account/"};
  purpose.append(id_word(kind)).append("/").append(to_string(money));
  return uuid::v8(parent, purpose);
}

}  // namespace

std::string_view to_string(errc code) {
  switch (code) {
    case errc::none:
      return "none";
    case errc::seq_conflict:
      return "seq_conflict";
    case errc::overdraft:
      return "overdraft";
    case errc::account_unknown:
      return "account_unknown";
    case errc::account_closed:
      return "account_closed";
    case errc::account_not_empty:
      return "account_not_empty";
    case errc::transfer_conflict:
      return "transfer_conflict";
    case errc::currency_mismatch:
      return "currency_mismatch";
    case errc::no_partition:
      return "no_partition";
    case errc::stale_epoch:
      return "stale_epoch";
    case errc::fenced:
      return "fenced";
    case errc::rolled_back:
      return "rolled_back";
    case errc::unavailable:
      return "unavailable";
    case errc::unknown:
      return "unknown";
    case errc::not_found:
      return "not_found";
    case errc::exists:
      return "exists";
    case errc::corrupt:
      return "corrupt";
    case errc::incompatible:
      return "incompatible";
    case errc::invalid:
      return "invalid";
  }
  return "unlisted";
}

std::string_view to_string(currency c) {
  switch (c) {
    case currency::demo:
      return "DEMO";
    case currency::kes:
      return "KES";
  }
  return "unknown";
}

std::optional<currency> parse_currency(std::string_view text) {
  for (const auto c : currencies)
    if (to_string(c) == text) return c;
  return std::nullopt;
}

std::string_view to_string(member_status s) {
  switch (s) {
    case member_status::joining:
      return "joining";
    case member_status::up:
      return "up";
    case member_status::draining:
      return "draining";
    case member_status::left:
      return "left";
    case member_status::dead:
      return "dead";
  }
  return "?";
}

std::string_view to_string(transfer_kind k) {
  switch (k) {
    case transfer_kind::buy_in:
      return "buy_in";
    case transfer_kind::payout:
      return "payout";
    case transfer_kind::rake:
      return "rake";
    case transfer_kind::refund:
      return "refund";
    case transfer_kind::grant:
      return "grant";
    case transfer_kind::deposit:
      return "deposit";
    case transfer_kind::withdrawal:
      return "withdrawal";
    case transfer_kind::sweep:
      return "sweep";
    case transfer_kind::opening:
      return "opening";
  }
  return "unknown";
}

account_id player_account(const uuid& player, currency money) {
  return derived(player, account_kind::player, money);
}

account_id escrow_account(const uuid& match, currency money) {
  return derived(match, account_kind::escrow, money);
}

account_id system_account(account_kind kind, currency money, std::uint32_t slot) {
  std::string purpose{"system/"};
  purpose.append(id_word(kind)).append("/").append(to_string(money));
  purpose.append("/").append(std::to_string(slot));
  return uuid::v8(uuid{}, purpose);
}

std::vector<account_open> system_accounts() {
  std::vector<account_open> all;
  for (const auto kind : system_kinds)
    for (const auto money : currencies)
      for (std::uint32_t slot = 0; slot < system_slots; ++slot)
        all.push_back({system_account(kind, money, slot), kind, money, uuid{}});
  std::ranges::sort(all, {}, &account_open::id);
  return all;
}

}  // namespace baraza::storage
