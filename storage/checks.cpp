#include "storage/checks.hpp"

#include <algorithm>

#include "storage/limits.hpp"

namespace baraza::storage {
namespace {

error invalid(const char* sentence) { return {errc::invalid, sentence}; }

template <class Key>
bool has_twice(std::vector<Key>& keys) {
  std::ranges::sort(keys);
  return std::ranges::adjacent_find(keys) != keys.end();
}

}  // namespace

std::optional<error> batch_fault(const batch& work) {
  if (work.members.empty()) return invalid("a batch has at least one member");
  if (work.members.size() > batch_members_max) return invalid("a batch has too many members");
  std::vector<entity_id> entities;
  std::vector<uuid> transfers, opens;
  for (const auto* member : work.members) {
    entities.push_back(member->entity);
    for (const auto& t : member->transfers) transfers.push_back(t.id);
    for (const auto& o : member->opens) opens.push_back(o.id);
  }
  if (has_twice(entities)) return invalid("an entity occurs twice in a batch");
  if (has_twice(transfers)) return invalid("a transfer id occurs twice in a batch");
  if (has_twice(opens)) return invalid("a batch opens an account twice");
  return std::nullopt;
}

std::optional<error> member_fault(const commit& member) {
  constexpr std::uint64_t seq_max =
      INT64_MAX - commit_events_max;  // stores keep seq as a signed number
  if (member.events.empty()) return invalid("a commit has at least one event");
  if (member.events.size() > commit_events_max) return invalid("a commit has too many events");
  if (member.transfers.size() > commit_transfers_max)
    return invalid("a commit has too many transfers");
  if (member.opens.size() > commit_accounts_max || member.closes.size() > commit_accounts_max)
    return invalid("a commit opens or closes too many accounts");
  if (member.expected_seq > seq_max) return invalid("expected_seq is out of range");
  for (const auto& event : member.events)
    if (event.size() > event_bytes_max) return invalid("an event is too large");
  if (member.snapshot && member.snapshot->size() > snapshot_bytes_max)
    return invalid("a snapshot is too large");
  for (const auto& t : member.transfers) {
    if (t.amount <= 0) return invalid("a transfer's amount must be above zero");
    if (t.debit == t.credit) return invalid("a transfer needs two accounts");
  }
  return std::nullopt;
}

error check_fingerprint(std::string_view fingerprint) {
  constexpr std::size_t fingerprint_max = 64;
  const auto visible = [](char c) { return c > 0x20 && c < 0x7F; };
  if (fingerprint.empty() || fingerprint.size() > fingerprint_max ||
      !std::ranges::all_of(fingerprint, visible))
    return invalid("a key's fingerprint is 1 to 64 visible characters");
  return {};
}

error other_key() {
  return {errc::incompatible, "the store's matches are sealed with another cluster key"};
}

}  // namespace baraza::storage
