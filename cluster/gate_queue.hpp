// What the journal gate decides, without actors: which commits go into the next batch of which
// writer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cluster/limits.hpp"
#include "cluster/messages.hpp"

namespace baraza::cluster {

/// Groups what arrived while the last flush was on its way. Invariants: one commit in flight per
/// entity; no transfer id or opened account twice in one batch; nothing of an earlier activation is
/// taken once that life is barred; order of arrival within a writer.
class gate_queue {
 public:
  /// @param waiting_max further commits are refused
  explicit gate_queue(std::uint16_t writers, std::size_t waiting_max = gate_queue_max)
      : lanes_(writers), waiting_max_{waiting_max} {}

  enum class verdict : std::uint8_t { queued, stale, full };
  verdict add(ticket_ptr ticket);

  /// The next batch of this writer, if it is idle and something waits. The writer is busy until
  /// flushed(). An empty batch: all of it is being changed by its hosts at this moment, and the
  /// writer stays idle. What is taken, or was seen and left for the next, is changed no more.
  std::optional<std::vector<ticket_ptr>> next(std::uint16_t writer);
  /// Its flush ended. Returns the entities whose bar was waiting for it.
  std::vector<bar> flushed(std::uint16_t writer);

  /// From now on commits of `who` below `earliest` are stale; queued ones are taken out into
  /// `dropped`. True: nothing of it is in flight; else flushed() will name it.
  bool raise_bar(const bar& what, std::vector<ticket_ptr>& dropped);

  /// Takes every queued commit of `shard` out; what a writer has stays with it.
  void drop_shard(shard_id shard, std::vector<ticket_ptr>& dropped);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint16_t writers() const { return static_cast<std::uint16_t>(lanes_.size()); }
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::uint16_t writer_of(const entity_id& who) const {
    return baraza::writer_of(who, writers());
  }

 private:
  struct lane {
    std::deque<ticket_ptr> waiting;
    bool busy = false;
    std::vector<bar> bars;  // answered when the flush in flight ends
  };
  std::vector<lane> lanes_;
  std::unordered_map<entity_id, activation_number>
      barred_;  // entities that crashed in this process: few
  std::size_t size_ = 0, waiting_max_;
};

}  // namespace baraza::cluster
