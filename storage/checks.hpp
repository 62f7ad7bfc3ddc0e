// What can be said of a batch without looking at the store; both stores ask before they begin.
#pragma once

#include <optional>

#include "storage/store.hpp"

namespace baraza::storage {

/// Why the batch as a whole is `invalid`: no or too many members, an entity, transfer id or opened
/// account that occurs twice.
std::optional<error> batch_fault(const batch& work);

/// Why this member alone is `invalid`: no event (rule A4), something too large, an amount ≤ 0, an
/// account that pays itself.
std::optional<error> member_fault(const commit& member);

/// invalid unless it is 1 to 64 visible ASCII characters; else none.
error check_fingerprint(std::string_view fingerprint);
/// What store::claim_key answers to a key that is not the store's.
error other_key();

}  // namespace baraza::storage
