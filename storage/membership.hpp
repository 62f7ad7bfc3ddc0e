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
  std::uint64_t epoch = 0;  // grows with each take: a smaller one is fenced off
  std::uint64_t next_owner = 0;
  millis since = 0;  // store time of the last change
  bool operator==(const shard_row&) const = default;
};

/// One snapshot: everything in it was true at one moment.
struct cluster_state {
  std::uint64_t version = 0;  // of the view: grows with each change of members or shards
  std::uint16_t level = 1;
  millis now = 0;                 // the store's clock
  std::vector<member> members;    // the living: joining, up, draining; ascending incarnation
  std::vector<vote> votes;        // any age
  std::vector<shard_row> shards;  // ascending id; empty if the asker's version was current
  std::uint64_t coordinator = 0;  // incarnation, 0: nobody, or its lease is over
  std::uint64_t coordinator_epoch = 0;
};

}  // namespace baraza::storage
