// Which times the attached partitions cover: an id outside is refused alone, before the server
// would refuse the whole batch.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/postgres/pq.hpp"
#include "storage/store.hpp"

namespace baraza::storage::postgres {

class partition_map {
 public:
  /// Reads the catalogue. @returns empty, or why not
  std::string load(session& from, std::chrono::milliseconds limit);
  /// The first id of `member` (its entity or a transfer) that no partition takes; nil if all fit.
  [[nodiscard]] const uuid* misfit(const commit& member) const;

 private:
  using ranges = std::vector<std::pair<uuid, uuid>>;  // [first, last)
  ranges transfers_;
  std::map<entity_kind, ranges> journals_;  // the kinds whose journals are split by time
};

}  // namespace baraza::storage::postgres
