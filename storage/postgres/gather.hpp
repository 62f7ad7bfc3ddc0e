// Reads the facts that examine() decides by, fresh and after the refused statement: what stood
// against it may be newer than its snapshot (rule A5).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "storage/postgres/facts.hpp"
#include "storage/postgres/pq.hpp"

namespace baraza::storage::postgres {

using indexes = std::vector<std::size_t>;  // of members

/// All of it. @returns empty, or why it cannot be read
std::string gather(session& from, const batch& work, const indexes& members,
                   std::uint64_t incarnation, std::chrono::milliseconds limit, facts& known);
/// Heads, and who wrote the row after each member's expected_seq.
std::string gather_heads(session& from, const batch& work, const indexes& members,
                         std::chrono::milliseconds limit, facts& known);
std::string gather_accounts(session& from, const batch& work, const indexes& members,
                            std::chrono::milliseconds limit, facts& known);

/// Every account the commit names, ascending, each once.
std::vector<account_id> accounts_of(const commit& member);

}  // namespace baraza::storage::postgres
