#pragma once

#include <memory>
#include <string>

#include "storage/membership.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/limits.hpp"

namespace baraza::storage::postgres {

/// Connects at its first operation. Two files: members (membership.cpp), and shards with the deaths
/// that hand them on (membership_shards.cpp).
class pg_membership final : public membership_store {
 public:
  pg_membership(const std::string& url, bool allow_loss,
                const std::shared_ptr<server_memory>& server)
      : allow_loss_{allow_loss},
        db_{url, "baraza-membership", limit, server},
        killer_{url, "baraza-membership-2", limit, server} {}
  result<std::string> identity() override;
  result<node_grant> join(const member_registration& node) override;
  result<renewal> renew(std::uint64_t incarnation, millis lease) override;
  result<cluster_state> read(std::uint64_t known) override;
  status set_status(std::uint64_t incarnation, member_status to) override;
  result<cluster_state> accuse(std::uint64_t accuser, std::uint64_t accused, vote_kind kind,
                               std::uint64_t known) override;
  status withdraw(std::uint64_t accuser, std::uint64_t accused) override;
  result<bool> declare_dead(std::uint64_t declarer, std::uint64_t version,
                            std::span<const std::uint64_t> dead,
                            std::span<const shard_change> changes) override;
  result<std::vector<shard_row>> take(std::uint64_t incarnation,
                                      std::span<const shard_change> free) override;
  result<std::vector<shard_row>> release(std::uint64_t incarnation,
                                         std::span<const shard_change> owned) override;
  result<std::uint64_t> coordinate(std::uint64_t incarnation, millis lease) override;
  result<bool> raise_level(std::uint64_t incarnation, std::uint64_t coordinator_epoch,
                           std::uint16_t level) override;

 private:
  static constexpr std::chrono::milliseconds limit{membership_timeout_ms};

  [[nodiscard]] node_grant enrol(pqxx::work& work, const member_registration& node) const;
  static bool bury(pqxx::work& work, std::uint64_t declarer, std::uint64_t version,
                   std::span<const std::uint64_t> dead, std::span<const shard_change> changes);
  void end_connections_of(std::span<const std::uint64_t> dead);
  result<std::vector<shard_row>> change_shards(std::uint64_t incarnation,
                                               const std::string& statements,
                                               const std::string& is_allowed,
                                               const std::string& ids);
  error went_back(std::uint64_t version);

  const bool allow_loss_;
  std::uint64_t seen_version_ = 0;  // the newest view this object was told
  std::uint64_t renewed_ = 0;       // whose lease it renewed last …
  millis renewed_at_ = 0;           // … and what it then read
  database db_;
  database killer_;  // ends connections while db_ waits for them
};

}  // namespace baraza::storage::postgres
