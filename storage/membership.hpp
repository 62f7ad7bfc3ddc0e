// Who is in the cluster and who owns which shard, as the store keeps it: the values, and the
// operations a node needs beyond store.hpp. PostgreSQL has them; the embedded store serves one node
// and answers `invalid`. Calls block: one thread owns one object.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/store.hpp"

namespace baraza::storage {

/// Forward only: joining → up → draining → left | dead. (draining → up is an operator's undrain.)
enum class member_status : std::uint8_t { joining = 1, up, draining, left, dead };
std::string_view to_string(member_status s);

struct member {
  std::uint64_t incarnation = 0;
  std::string name, address, roles, zone;
  std::uint32_t weight = 1;  // its share of the shards; 0: it owns none (edge or payments only)
  std::uint16_t level = 1;   // of its binary (rule A9)
  member_status status = member_status::joining;
  millis renewed_at = 0;   // store time of the last renewal
  millis lease_until = 0;  // store time
  std::string version;     // of its binary, for people
};

enum class vote_kind : std::uint8_t {
  silent = 1,     // answers neither the voter nor those it asked to try
  store_lost = 2  // answers, but says that it is past its lease: it cannot reach the store
};

/// "I find `accused` dead." One row per (accuser, accused); stamped by the store.
struct vote {
  std::uint64_t accuser = 0, accused = 0;
  vote_kind kind = vote_kind::silent;
  millis at = 0;
};

/// owner 0: free; then next_owner names who should take it, if anyone was named.
struct shard_row {
  shard_id id = 0;
  std::uint64_t owner = 0;  // incarnation
  std::uint64_t epoch = 0;  // grows with each owner: a smaller one is fenced off
  std::uint64_t next_owner = 0;
  millis since = 0;  // store time of the last change
  bool operator==(const shard_row&) const = default;
};

/// One snapshot: everything in it was true at one moment.
struct cluster_state {
  std::uint64_t version = 0;  // of the view: grows with each change of members or shards
  std::uint16_t level = 1;    // every member can read what is written at it; never falls (rule A9)
  millis now = 0;             // the store's clock
  std::vector<member> members;    // the living: joining, up, draining; ascending incarnation
  std::vector<vote> votes;        // any age
  std::vector<shard_row> shards;  // ascending id; empty if the asker's version was current
  std::uint64_t coordinator = 0;  // incarnation, 0: nobody, or its lease is over
  std::uint64_t coordinator_epoch = 0;
};

/// A change of one row, made only if the row is still at `epoch`.
struct shard_change {
  shard_id shard = 0;
  std::uint64_t epoch = 0;  // of the row as it is
  std::uint64_t to = 0;     // release: who should take it; death: its new owner; 0: nobody
  bool operator==(const shard_change&) const = default;
};

struct member_registration {
  std::string name;  // unique among the living
  std::string address, roles, zone;
  std::uint32_t weight = 1;
  std::uint16_t level = 1;    // of the binary
  std::uint16_t writers = 2;  // fence rows to open
  std::uint32_t shards = 1024;
  millis lease = 5000;
};

struct renewal {
  millis now = 0;             // the store's clock
  std::uint64_t version = 0;  // of the view: read() when it is news
  std::uint16_t level = 1;
  member_status status{};
  std::uint64_t connection = 0;  // differs between two connections
};

/// What many nodes need of the store. Errors besides each one's own: `fenced`, the asker is not a
/// living member; `unavailable` and `unknown`, ask again: every operation is safe to repeat.
class membership_store {
 public:
  virtual ~membership_store() = default;

  /// What tells this store from every other one: two clusters of one name must not mix.
  virtual result<std::string> identity() = 0;
  /// Registers this process as `joining`, with its lease and open fence rows, but no shard; creates
  /// the shard rows of a new store, free. Errors: exists (the name has a living member: read()
  /// shows which), incompatible (another shard count, or a binary older than the cluster's level).
  /// Not safe to repeat blindly: after `unknown`, read() shows whether the name is taken, by us.
  virtual result<node_grant> join(const member_registration& node) = 0;
  virtual result<renewal> renew(std::uint64_t incarnation, millis lease) = 0;
  /// @param known a version the asker holds the shards of; 0: none
  virtual result<cluster_state> read(std::uint64_t known) = 0;
  /// joining → up, up ↔ draining, or → left, which closes the fence rows and needs every shard
  /// released first. Errors: invalid (no such way).
  virtual status set_status(std::uint64_t incarnation, member_status to) = 0;

  /// Writes or refreshes the vote, stamped by the store, and shows the state to count in.
  /// @param known as for read()
  virtual result<cluster_state> accuse(std::uint64_t accuser, std::uint64_t accused, vote_kind kind,
                                       std::uint64_t known) = 0;
  virtual status withdraw(std::uint64_t accuser, std::uint64_t accused) = 0;
  /// One transaction, in this order: the fence rows of the dead (waits for their commits in flight,
  /// ends those connections after 500 ms), their leases, the view, their shards (rule B1).
  /// `changes` must name every shard of the dead.
  /// @param declarer 0: a joiner that ends its predecessor
  /// @returns false: the view is no longer `version`; read and count again
  virtual result<bool> declare_dead(std::uint64_t declarer, std::uint64_t version,
                                    std::span<const std::uint64_t> dead,
                                    std::span<const shard_change> changes) = 0;

  /// Takes those that are still free at their epoch, at the next epoch. Answers with all the rows
  /// as they are afterwards; the caller finds its own among them.
  virtual result<std::vector<shard_row>> take(std::uint64_t incarnation,
                                              std::span<const shard_change> free) = 0;
  /// Gives those that are ours at their epoch to their takers, at the next epoch; those whose taker
  /// may not own shards (it is not up, or past its lease) become free for it. Locks the node's
  /// fence rows and raises their generation: a commit that is still on its way to the server, in
  /// whatever shard, writes nothing and is looked at anew by its writer. Answers like take().
  virtual result<std::vector<shard_row>> release(std::uint64_t incarnation,
                                                 std::span<const shard_change> owned) = 0;

  /// Becomes or stays coordinator for `lease`. @returns its epoch; 0: another one is
  virtual result<std::uint64_t> coordinate(std::uint64_t incarnation, millis lease) = 0;
  /// Raises the cluster's level. Only the coordinator of that epoch may, and only to what every
  /// living member can read; so nobody is there, and nobody joins, who could not.
  /// @returns false: one of these does not hold (any more); read again
  virtual result<bool> raise_level(std::uint64_t incarnation, std::uint64_t coordinator_epoch,
                                   std::uint16_t level) = 0;
};

}  // namespace baraza::storage
