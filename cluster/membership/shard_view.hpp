// Which node owns which shard, as far as this node has heard: what requests are routed by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "storage/membership.hpp"

namespace baraza::cluster {

/// Where a shard is. Compared by (epoch, version): of two, the greater is the newer truth.
struct shard_place {
  std::uint64_t owner = 0;  // incarnation; 0: free
  std::uint64_t epoch = 0;  // of the owner's take, or of the last one
  std::uint64_t next_owner = 0;
  std::uint64_t version = 0;  // of the view that told so
  bool operator==(const shard_place&) const = default;
};

/// What becomes of a request that came from another node.
enum class arrival : std::uint8_t {
  ours,     // for the shard's machine (shard_keeper) to take or hold
  moved,    // we know better than the sender: answer with our place and version
  refresh,  // the sender knows better than we: read the store first, then judge again
};

/// A map of all shards with the version of the view it is of. Single rows may be newer than the
/// whole: an announcement, a `moved` answer, or the answer to our own take tells of one shard. It
/// never goes back: an older word about a shard is dropped, whatever order the messages come in.
class shard_view {
 public:
  shard_view(std::uint64_t self, std::uint32_t shards)
      : self_{self}, places_(shards), is_changed_(shards) {}

  /// A snapshot of the store. Rows of shards beyond the map are refused (another shard count).
  /// @returns the shards whose place changed, ascending; nothing when it is older than ours
  std::vector<shard_id> apply(const storage::cluster_state& state);
  /// One shard's place from a peer. @param from whose word it is; 0: the store's
  /// @returns whether it was news
  bool learn(shard_id shard, const shard_place& place, std::uint64_t from = 0);

  [[nodiscard]] const shard_place& at(shard_id shard) const { return places_.at(shard); }
  /// Of the newest whole snapshot; goes into every envelope.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// The greatest version heard of: while above version(), a snapshot should be read soon.
  [[nodiscard]] std::uint64_t heard_of() const { return heard_of_; }
  void hear_of(std::uint64_t version) { heard_of_ = std::max(heard_of_, version); }
  [[nodiscard]] bool is_behind() const { return heard_of_ > version_; }

  /// Shards of which anything has changed, their version included, since the last call.
  [[nodiscard]] std::vector<shard_id> take_changed();

  /// Whether any shard has come here since the last call that its owner did not give: it was
  /// declared dead, perhaps of what it was doing there. Should the owner's own word be lost and it
  /// die before the next snapshot, its gift looks like this, too.
  [[nodiscard]] bool take_adopted();

  /// Judges an envelope that names the sender's view and the epoch it believes in.
  [[nodiscard]] arrival judge(shard_id shard, std::uint64_t sender_epoch,
                              std::uint64_t sender_version) const;
  [[nodiscard]] std::vector<shard_id> owned_by(std::uint64_t node) const;
  /// Owners by shard, for the allocator.
  [[nodiscard]] std::vector<std::uint64_t> owners() const;
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  /// @param is_given its owner lives, or says so itself
  bool accept(shard_id shard, const shard_place& place, bool is_given);

  std::uint64_t self_;
  std::vector<shard_place> places_;
  std::vector<shard_id> changed_;
  std::vector<bool> is_changed_;  // in `changed_`
  std::uint64_t version_ = 0, heard_of_ = 0;
  bool has_adopted_ = false;
};

}  // namespace baraza::cluster
