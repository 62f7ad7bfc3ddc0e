// Reads through unnamed parameterised statements and no session state, so that they pass a
// transaction pooler.
#pragma once

#include "storage/postgres/database.hpp"
#include "storage/postgres/postgres.hpp"

namespace baraza::storage::postgres {

class pg_reader final : public reader {
 public:
  pg_reader(std::string url, const timing& times, std::shared_ptr<server_memory> server)
      : database_{std::move(url), "baraza-reader", times.statement, std::move(server)} {}

  result<std::vector<activation>> activate(std::span<const entity_id> entities) override;
  result<std::vector<journal_event>> events(const entity_id& entity, std::uint64_t after,
                                            std::uint32_t limit) override;
  result<std::vector<balance>> balances(std::span<const account_id> accounts) override;
  result<std::vector<transfer>> transfers(std::span<const uuid> ids) override;
  result<std::vector<transfer>> transfers_of(const account_id& account,
                                             const uuid& reference) override;
  result<std::vector<history_row>> history(const uuid& player, currency money,
                                           std::optional<uuid> before,
                                           std::uint32_t limit) override;
  result<std::vector<wake_row>> wakes(std::uint32_t shard_first, std::uint32_t shard_last,
                                      millis until, std::uint32_t limit,
                                      const wake_row* after) override;
  result<std::vector<incident>> incidents(std::uint32_t limit, const incident* before) override;
  result<millis> now() override;

 private:
  result<std::vector<activation>> activate_one(const entity_id& who);

  database database_;
};

}  // namespace baraza::storage::postgres
