// Which server answers at the store's address, as all connections of this process have found it
// (rule A8).
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// Each new connection says what it has met. Any thread.
class server_memory {
 public:
  /// One row: is it no primary, its system id, its timeline (hexadecimal; 0 for a standby).
  static constexpr const char* question =
      "select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on', "
      "(select system_identifier from pg_control_system()), case when pg_is_in_recovery() then '0' "
      "else substring(pg_walfile_name(pg_current_wal_lsn()) from 1 for 8) end";

  /// @returns code none: this is the server, or a standby that was promoted since. `unavailable`:
  /// a standby, or a primary that was replaced: whoever holds on finds the right one again.
  /// `rolled_back`: another server, which knows nothing of us.
  error meet(bool is_read_only, const std::string& system, const std::string& timeline);

 private:
  std::mutex mutex_;
  std::string system_;
  std::uint64_t timeline_ = 0;  // the highest seen
};

}  // namespace baraza::storage::postgres
