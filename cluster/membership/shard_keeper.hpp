// The shards of one node: what it owns, takes and hands off. It decides; region, gate and the
// membership thread carry out and report back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/membership/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

/// ```
///            row free, named us       take applied          wake rows read
///   closed ────────────▶ taking ──────────────▶ opening ─────────────▶ open
///    ▲  └────────────────── row ours ─────────────▲                  │    ▲ call_off
///    │                                                      hand_off ▼    │
///    │                                                           draining─┘
///    │ row the taker's, or free       entities stopped, or time is up │
///    └──────── releasing ◀──────── flushing ◀─────────────────────────┘
///                        gate empty
/// ```
/// Only `open` and `draining` commit. Once a release may have been sent, there is no way back to
/// `open` in that epoch: it may land later, whatever a read shows now.
enum class shard_phase : std::uint8_t {
  closed,
  taking,
  opening,
  open,
  draining,
  flushing,
  releasing
};
std::string_view to_string(shard_phase phase);

/// Store: free → ours, at the next epoch, if the row is still free at `epoch`. Then row() with what
/// the store holds afterwards, or store_failed(). Safe to repeat.
struct take_shard {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};
/// Gate: gate_shards::open; then read the shard's wake rows into the timer wheel (rule B6: after
/// the take has committed), then wakes_loaded().
struct open_gate {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};
/// Region: deliver what waits, tell peers that it is here.
struct serve_shard {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};
/// Region: tell peers to hold requests; let each entity finish the commit it has begun, then
/// passivate it; then entities_stopped(). `at_once`: do not wait for them, drop their queued
/// commits.
struct stop_entities {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
  bool at_once = false;
};
/// Gate: gate_shards::close, drop what no writer has yet; when it is empty, gate_empty().
struct close_gate {
  shard_id shard = 0;
  std::uint64_t epoch = 0;
};
/// Store: ours at `epoch` → `to`'s at the next epoch; if it is not up, free for it (0: for anyone).
/// Then row() or store_failed(). Safe to repeat.
struct release_shard {
  shard_id shard = 0;
  std::uint64_t epoch = 0, to = 0;
};
/// Tell peers, above all the taker, whose the shard is that we have released.
struct announce_row {
  storage::shard_row row;
};
/// The store shows a shard of ours as another's: we have been declared dead. The process ends.
struct stop_node {
  std::string why;
};
using shard_action = std::variant<take_shard, open_gate, serve_shard, stop_entities, close_gate,
                                  release_shard, announce_row, stop_node>;

class shard_keeper {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using actions = std::vector<shard_action>;

  shard_keeper(std::uint64_t self, std::uint32_t shards) : self_{self}, shards_(shards) {}

  /// What the store holds (a snapshot's row, the answer to a take or release, a peer's news of a
  /// row). Older news than what is known does nothing, so rows may come in any order.
  actions row(const storage::shard_row& row, time_point now);
  /// A free shard that nobody took in time: this node is the one to try (heirs_of).
  actions claim(shard_id shard, std::uint64_t epoch, time_point now);
  /// A take or release failed, or its outcome is unknown: it is sent again at next_look().
  void store_failed(shard_id shard, time_point now);

  actions wakes_loaded(shard_id shard, std::uint64_t epoch);
  /// The coordinator asks; `to` 0: to nobody, the node leaves. Repeats change at most the taker.
  /// @returns false: not open here at that epoch, or asked by a coordinator that was replaced
  bool hand_off(shard_id shard, std::uint64_t epoch, std::uint64_t to,
                std::uint64_t coordinator_epoch, time_point now, actions& out);
  /// The move is off, for as long as no entity was stopped in vain: before the gate closed.
  bool call_off(shard_id shard, std::uint64_t epoch, std::uint64_t coordinator_epoch, actions& out);
  /// Every open shard, to nobody: no coordinator need ask for it.
  void give_up(time_point now, actions& out);
  actions entities_stopped(shard_id shard, std::uint64_t epoch);
  actions gate_empty(shard_id shard, std::uint64_t epoch, time_point now);
  actions tick(time_point now);
  [[nodiscard]] std::optional<time_point> next_look() const;

  enum class route : std::uint8_t {
    deliver,
    hold,       // soon ours: keep the request, bounded
    moving,     // soon another's: the sender keeps it, and rereads the row after 2 s
    elsewhere,  // the view says where
  };
  [[nodiscard]] route route_of(shard_id shard) const;
  [[nodiscard]] shard_phase phase_of(shard_id shard) const { return shards_.at(shard).phase; }
  /// Of the take that the phase belongs to; 0 while closed.
  [[nodiscard]] std::uint64_t epoch_of(shard_id shard) const;
  /// Nothing is owned, taken or about to be: a draining node may leave.
  [[nodiscard]] bool is_empty() const;

 private:
  struct one {
    shard_phase phase = shard_phase::closed;
    std::uint64_t epoch = 0;  // ours; when closed, the last we know of; when taking, the free row's
    std::uint64_t to = 0;
    std::optional<time_point> due;  // the drain's limit, or the next try of a take or release
  };

  actions start_opening(shard_id shard, std::uint64_t epoch);
  actions start_taking(shard_id shard, std::uint64_t epoch, time_point now);
  actions start_flushing(shard_id shard, bool at_once);
  actions released(shard_id shard, const storage::shard_row& row, time_point now);
  [[nodiscard]] bool obeys(std::uint64_t coordinator_epoch);
  [[nodiscard]] bool is(shard_id shard, shard_phase phase, std::uint64_t epoch) const {
    const auto& s = shards_.at(shard);
    return s.phase == phase && s.epoch == epoch;
  }

  std::uint64_t self_;
  std::vector<one> shards_;
  std::uint64_t coordinator_epoch_ = 0;  // the newest that asked anything
};

}  // namespace baraza::cluster
