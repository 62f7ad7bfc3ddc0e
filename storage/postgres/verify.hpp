#pragma once

#include <string>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// Proves the ledger in snapshots of at most verify_snapshot_ms, beside a serving node (rule A11).
result<verify_report> verify_ledger(const std::string& url);

}  // namespace baraza::storage::postgres
