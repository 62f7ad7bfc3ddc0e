#include "tests/storage/crash_plan.hpp"

namespace baraza::tests {

using namespace storage;

entity_id crash_plan::entity(std::size_t index) const {
  return {entity_kind::wallet, uuid::v8(base, "entity/" + std::to_string(index))};
}

account_id crash_plan::account(std::size_t index) const {
  return player_account(entity(index).key, currency::demo);
}

account_id crash_plan::shared_account() const { return escrow_account(base, currency::demo); }

std::array<uuid, 2> crash_plan::transfer_ids(std::size_t index, std::uint64_t number) const {
  const auto name = std::to_string(index) + "/" + std::to_string(number);
  return {uuid::v8(base, "grant/" + name), uuid::v8(base, "buy_in/" + name)};
}

std::string crash_plan::payload(std::size_t index, std::uint64_t seq) const {
  return "entity " + std::to_string(index) + " seq " + std::to_string(seq);
}

commit crash_plan::commit_of(std::size_t index, std::uint64_t number, std::uint64_t epoch) const {
  commit made;
  made.entity = entity(index);
  made.shard = shard_of(made.entity, 64);
  made.epoch = epoch;
  made.expected_seq = (number - 1) * crash_events;
  for (std::uint64_t i = 1; i <= crash_events; ++i)
    made.events.push_back(payload(index, made.expected_seq + i));
  made.snapshot = "after " + std::to_string(number);
  made.wake = commit::wake_change::set;
  made.wake_at = static_cast<millis>(number);
  if (number == 1) {
    made.opens.push_back({account(index), account_kind::player, currency::demo, made.entity.key});
    if (index == 0)
      made.opens.push_back({shared_account(), account_kind::escrow, currency::demo, base});
  }
  // Entity 0 opens the escrow, so the others pay into it from their second commit on.
  const auto ids = transfer_ids(index, number);
  const auto slot = static_cast<std::uint32_t>(index) % system_slots;
  made.transfers.push_back({ids[0], system_account(account_kind::bonus, currency::demo, slot),
                            account(index), 3, currency::demo, transfer_kind::grant, base});
  const auto paid_to =
      number == 1 ? system_account(account_kind::rake, currency::demo, slot) : shared_account();
  made.transfers.push_back(
      {ids[1], account(index), paid_to, 2, currency::demo, transfer_kind::buy_in, base});
  return made;
}

}  // namespace baraza::tests
