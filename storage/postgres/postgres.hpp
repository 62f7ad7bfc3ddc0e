// The PostgreSQL store: commits over direct libpq connections, everything else through libpqxx.
// Only this folder includes either.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "storage/postgres/limits.hpp"
#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// Times that tests shorten; production keeps the defaults of limits.hpp.
struct timing {
  std::chrono::milliseconds statement{statement_timeout_ms};
  std::chrono::milliseconds lock{lock_timeout_ms};
  std::chrono::milliseconds commit_deadline{commit_deadline_ms};  // then the outcome is unknown
};

/// Opens `url` (postgresql://…), which must name the primary directly, not a pooler; only
/// open_reader() of a store that was opened with a pooler's URL works through one. Touches no
/// schema. Errors: invalid (URL), unavailable (cannot connect), incompatible (synchronous_commit
/// off or an asynchronous standby without allow_loss).
result<std::unique_ptr<store>> open(std::string_view url, const open_options& options,
                                    const timing& times = {});

}  // namespace baraza::storage::postgres
