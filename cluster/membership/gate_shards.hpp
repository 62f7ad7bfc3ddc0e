// What the journal gate knows of shards: which are open at which epoch, and what of each is on its
// way to the store.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::cluster {

/// A commit counts from the moment the gate takes it until its outcome is *known*: a writer that
/// lost its connection still has it on its way (rule A4), so a shard is empty only when nothing of
/// it can land any more. This, and not a lock in the store, is what a release waits for: a commit
/// that was sent but has not arrived yet would find the fence open and land after the release.
class gate_shards {
 public:
  explicit gate_shards(std::uint32_t shards) : shards_(shards) {}

  enum class verdict : std::uint8_t {
    take,    // counted: one of settled() or dropped() must follow
    hold,    // the node is suspended: keep it, ask again after resume(); nothing is lost
    refuse,  // closed, or of another epoch: its entity belongs to another owner
  };
  verdict admit(shard_id shard, std::uint64_t epoch) {
    auto& s = shards_.at(shard);
    if (!s.open || s.epoch != epoch) return verdict::refuse;
    if (suspended_) return verdict::hold;
    ++s.counted;
    return verdict::take;
  }
  /// The outcome of one taken commit is known. @returns whether close() was waiting for it
  bool settled(shard_id shard) {
    auto& s = shards_.at(shard);
    if (s.counted > 0) --s.counted;
    return s.counted == 0 && !s.open && std::exchange(s.awaited, false);
  }
  /// It was taken out of the queue before a writer had it. Counts like settled().
  bool dropped(shard_id shard) { return settled(shard); }

  /// From now on commits of `epoch` are taken. Only a shard of which nothing is on its way may
  /// open.
  /// @returns false: something is; the caller has broken the order, and must not go on
  bool open(shard_id shard, std::uint64_t epoch) {
    auto& s = shards_.at(shard);
    if (s.counted > 0 || epoch <= s.epoch) return false;
    s = {.epoch = epoch, .open = true};
    return true;
  }
  /// From now on nothing is taken. @returns whether it is empty; else a settled() will say so
  bool close(shard_id shard) {
    auto& s = shards_.at(shard);
    s.open = false;
    s.awaited = s.counted > 0;
    return s.counted == 0;
  }
  void suspend() { suspended_ = true; }
  void resume() { suspended_ = false; }

  [[nodiscard]] bool is_suspended() const { return suspended_; }
  [[nodiscard]] std::uint64_t epoch(shard_id shard) const { return shards_.at(shard).epoch; }
  [[nodiscard]] std::uint32_t on_their_way(shard_id shard) const {
    return shards_.at(shard).counted;
  }

 private:
  struct one {
    std::uint64_t epoch = 0;
    std::uint32_t counted = 0;
    bool open = false, awaited = false;
  };
  std::vector<one> shards_;
  bool suspended_ = false;
};

}  // namespace baraza::cluster
