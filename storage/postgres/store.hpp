#pragma once

#include <mutex>

#include "storage/postgres/database.hpp"
#include "storage/postgres/postgres.hpp"
#include "storage/postgres/server_memory.hpp"

namespace baraza::storage::postgres {

class pg_store final : public store {
 public:
  pg_store(std::string url, const open_options& options, const timing& times);

  result<std::unique_ptr<writer>> open_writer(const node_grant& node, std::uint16_t index) override;
  result<std::unique_ptr<reader>> open_reader() override;
  std::unique_ptr<identity_store> open_identity() override;
  result<std::unique_ptr<membership_store>> open_membership() override;
  result<node_grant> join(const node_registration& node) override;
  status claim_key(std::string_view fingerprint) override;
  status fence(std::uint64_t incarnation) override;
  status record_incident(const incident& what) override;
  status count_attempt(std::span<const entity_id> entities, strike what) override;
  status forget_attempts(std::span<const entity_id> entities, strike up_to) override;
  status maintain(millis now) override;
  result<migration_state> migrations() override;
  status migrate(int target) override;
  result<verify_report> verify() override;

 private:
  status for_each(std::span<const entity_id> entities, const char* sql);
  static status for_each(database& db, std::span<const entity_id> entities, const char* sql);

  std::string url_;
  open_options options_;
  timing times_;
  std::shared_ptr<server_memory> server_;  // null: read-only, and a standby is as good
  // Kept, as each load after a death counts twice; a new connection takes ten times as long.
  std::mutex attempts_busy_;
  database attempts_;
};

}  // namespace baraza::storage::postgres
