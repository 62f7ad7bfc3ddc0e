// One writing connection: commits batches, and after a lost connection finds out what became of
// them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "storage/postgres/commit_statement.hpp"
#include "storage/postgres/partitions.hpp"
#include "storage/postgres/postgres.hpp"
#include "storage/postgres/server_memory.hpp"

namespace baraza::storage::postgres {

/// The commit statement without and with money, prepared on each connection.
inline constexpr const char* commit_names[] = {"commit_plain", "commit_full"};

inline status failure(const reply& answer, const char* what) {
  return error{errc::unavailable, std::string{what} + ": " + answer.message};
}

class pg_writer final : public writer {
 public:
  pg_writer(std::string url, const writer_key& key, bool allow_loss, const timing& times,
            std::shared_ptr<server_memory> server);

  /// Connects, checks the server, takes the fence row over from this writer's earlier connections.
  status start();
  batch_result apply(const batch& work) override;
  batch_result resolve(const batch& work) override;

 private:
  enum class verdict { done, again, examine, broken, fenced, unavailable, unknown };
  struct step {
    verdict what = verdict::done;
    std::string detail;
  };

  status connect();
  status check_server();
  status take_fence();
  error why_no_fence();
  status check_last_acknowledged();
  status prepare();
  status read_epochs();
  [[nodiscard]] bool holds(const commit& member) const;

  /// @returns whether some member's epoch is not the one this writer knows
  bool refuse_faulty(const batch& work, progress& so_far);
  batch_result work_off(const batch& work, progress& so_far, bool doubtful);
  step round(const batch& work, progress& so_far, bool examined);
  static step judge(const reply& answer);
  step look_at_fence();
  step look_closer(const batch& work, progress& so_far, std::size_t& attempts, bool& examined);
  static void divide(progress& so_far, std::vector<std::vector<std::size_t>>& pieces,
                     const std::string& why);
  void acknowledge(const batch& work, const std::vector<std::size_t>& applied);
  void read_balances(const batch& work, progress& so_far);

  std::string url_;
  writer_key key_;
  bool allow_loss_;
  timing times_;
  session session_;
  std::shared_ptr<server_memory> server_;
  partition_map partitions_;
  std::vector<std::uint64_t> epochs_;  // of the shards this node owns; 0: it does not
  known_heads heads_;
  commit_parameters parameters_;
  struct acknowledged {
    entity_id entity;
    std::uint64_t seq = 0;
    batch_id id;
  };
  std::optional<acknowledged> last_;
};

}  // namespace baraza::storage::postgres
