// What the region loads next, without actors: in company while all is well, alone what may be at
// fault.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_set>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::cluster {

/// Two worries, one answer. An entity that cannot be read makes its whole batch fail; one whose
/// code ends the process takes its whole batch along. So whoever was in a batch that failed, and
/// whoever was being loaded when a process died, is loaded by itself.
///
/// After a death the queue is careful: a batch ends only when all its members stand or have failed
/// without harm, and the next begins then. Thus at the next death the store knows at most one batch
/// of suspects, and from the second death on at most one new.
class load_queue {
 public:
  /// @param until local steady time, milliseconds
  void be_careful(millis until) { careful_until_ = until; }
  [[nodiscard]] bool is_careful(millis now) const { return now < careful_until_; }

  void add(const entity_id& who) { company_.push_back(who); }
  /// Those with the fewest strikes go first: who has ended the process most often is the last to
  /// get the chance to do it again.
  void add_suspect(const entity_id& who, std::uint32_t attempts) { alone_.emplace(attempts, who); }
  /// Could not be read: tried again by itself, after a while. A store that is away spends nobody's
  /// budget (rule B5).
  void add_failed(const entity_id& who, millis now);
  /// Puts back what has waited long enough since it failed.
  void tick(millis now);

  /// The next batch, if a reader may take one: it is busy until reader_free().
  std::optional<std::vector<entity_id>> next(millis now);
  void reader_free() { --in_flight_; }
  /// A member of a batch stands, or its life has ended. Others are ignored.
  void settle(const entity_id& who) { unsettled_.erase(who); }

 private:
  std::vector<entity_id> company_, retry_;
  std::multimap<std::uint32_t, entity_id> alone_;  // by strikes
  std::unordered_set<entity_id> unsettled_;        // of the careful batch
  std::size_t in_flight_ = 0;
  bool was_alone_ = false;  // they take turns, so that neither kind waits for the other's end
  millis retry_at_ = 0, careful_until_ = 0;
};

}  // namespace baraza::cluster
