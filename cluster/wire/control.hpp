// What members of a cluster say to each other about the cluster itself. Each travels in an
// envelope, whose head tells the sender's view version. Append alternatives, never reorder.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::cluster::wire {

/// "Do you live?", asked under the asker's own number; answered by `alive`.
struct probe {
  std::uint64_t number = 0;
};
struct alive {
  std::uint64_t number = 0;
  bool is_suspended = false;  // it is past its lease: the store does not answer it
};
/// "Try `target` for me"; answered by `tried`.
struct try_for {
  std::uint64_t target = 0, number = 0;
};
struct tried {
  std::uint64_t target = 0, number = 0;
  bool answered = false, is_suspended = false;
};
/// A newcomer asks to be known; the answer comes over the connection that the member dialled to it.
struct greeting {};
struct greeted {};
/// The coordinator asks the owner for a planned move (rebalancer.hpp).
struct hand_off {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0, to = 0, coordinator_epoch = 0;
};
/// Where shards are now, told by their last or their new owner.
struct shard_news {
  struct row {
    std::uint32_t shard = 0;
    std::uint64_t owner = 0, epoch = 0, next_owner = 0;
  };
  std::vector<row> rows;  // at most list_items_max
};
/// The view has changed: read it. The head has its version.
struct view_news {};
/// Tables whose events went to this edge within the last second, each with its newest seq (rule
/// E1): an edge that lost the last push learns of it.
struct digest {
  struct entry {
    uuid table;
    std::uint64_t seq = 0;
  };
  std::vector<entry> tables;
};
/// "How busy are you?", asked for operators; answered by `load_told`.
struct ask_load {
  std::uint64_t number = 0;
};
struct load_told {
  std::uint64_t number = 0;
  std::uint64_t sessions = 0, tables = 0, entities = 0;                   // now
  std::uint64_t sent_per_s = 0, received_per_s = 0;                       // over the links
  std::uint64_t commits_per_s = 0, commit_us_p50 = 0, commit_us_p99 = 0;  // bounds of buckets
  bool is_suspended = false;
};
/// An operator's move, passed to the coordinator by whichever node was asked; answered by
/// `order_heard`.
struct order_move {
  std::uint64_t number = 0;
  std::uint32_t shard = 0;
  std::uint64_t to = 0;
};
struct order_heard {
  std::uint64_t number = 0;
  bool is_taken = false;  // false: it does not coordinate any more
};
/// Logins of a player have ended: every edge closes their connections. Nil: all of them.
struct logins_ended {
  uuid player, login;
};

using control =
    std::variant<probe, alive, try_for, tried, greeting, greeted, hand_off, shard_news, view_news,
                 digest, ask_load, load_told, order_move, order_heard, logins_ended>;

}  // namespace baraza::cluster::wire
