// Which other members this node finds dead. It decides; the caller sends probes and votes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "cluster/membership/limits.hpp"
#include "cluster/membership/ring.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

struct detector_options {
  std::size_t targets = probe_targets;
  std::size_t misses_max = probe_misses_max;
  std::size_t helpers = probe_helpers;
  std::chrono::milliseconds every = probe_every, timeout = probe_timeout,
                            urgent_timeout = urgent_probe_timeout;
  std::chrono::milliseconds own_pause = own_pause_max;
};

/// Asks `target` whether it lives. Answer with answered() or unreachable() under `number`.
struct send_probe {
  std::uint64_t target = 0, number = 0;
  bool operator==(const send_probe&) const = default;
};
/// Asks `helper` to probe `target` and to tell; likewise under `number`.
struct ask_helper {
  std::uint64_t helper = 0, target = 0, number = 0;
  bool operator==(const ask_helper&) const = default;
};
/// Writes a vote; then count_votes() over the answer.
struct accuse {
  std::uint64_t target = 0;
  storage::vote_kind kind{};
  bool operator==(const accuse&) const = default;
};
/// Takes our vote back: it answered after all.
struct withdraw_vote {
  std::uint64_t target = 0;
  bool operator==(const withdraw_vote&) const = default;
};
using detector_action = std::variant<send_probe, ask_helper, accuse, withdraw_vote>;

/// One machine per peer:
/// ```
///            link lost, misses_max probes unanswered
///   calm ───────────────────────────────────────▶ doubted: direct probe (urgent)
///    ▲                                                │ unanswered or refused
///    │ any answer, direct or through a helper         ▼
///    ├──────────────────────────────────────── asked: two helpers try
///    │                                                │ all refused, or time is up
///    │ (vote withdrawn)                               ▼
///    └──────────────────────────────────────── accused: vote each second until the view drops it
/// ```
/// Steady probing goes to the next `targets` members of the ring alone. A lost link is followed up
/// by everyone who had one, the watchers first. With no member to help, doubt is enough. A peer
/// that answers "past my lease" is accused of that at once by a node that may judge.
class failure_detector {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  failure_detector(std::uint64_t self, const detector_options& options = {})
      : self_{self}, options_{options} {}

  /// The members of the newest view. Those gone are forgotten. Newcomers are left to their leases:
  /// they own nothing that somebody waits for, and open their doors only after they have joined.
  void set_members(const std::vector<storage::member>& members, time_point now);
  /// To be called at next_look() at the latest.
  /// @param may_judge lease_keeper::may_judge
  std::vector<detector_action> tick(time_point now, bool may_judge);
  [[nodiscard]] time_point next_look() const;

  /// `target` answered a probe (ours or a helper's for us).
  /// @param suspended it said that it is past its lease
  void answered(std::uint64_t target, std::uint64_t number, bool suspended, time_point now);
  /// The connection was refused or a helper got nowhere: no use to wait for this probe's time-out.
  void unreachable(std::uint64_t target, std::uint64_t number, time_point now);
  /// The connection to `peer` dropped. Once per connection.
  void link_lost(std::uint64_t peer, time_point now);

  [[nodiscard]] bool doubts(std::uint64_t peer) const;
  /// Whether a vote of ours against it stands.
  [[nodiscard]] bool accuses(std::uint64_t peer) const;

 private:
  enum class phase : std::uint8_t { calm, doubted, asked, accused };
  struct sent_probe {
    std::uint64_t number = 0;
    time_point until;
  };
  struct peer {
    phase at = phase::calm;
    bool watched = false, voted = false, suspended = false;
    std::size_t misses = 0;
    std::optional<time_point> next;  // of the steady probing
    std::optional<time_point> next_vote;
    std::optional<time_point> follow_up;  // of a lost link
    std::vector<sent_probe> waiting;      // misses_max + 1 + helpers at most
  };

  void forgive_own_pause(time_point now);
  void look_at(std::uint64_t who, peer& p, time_point now, bool may_judge,
               std::vector<detector_action>& out);
  void expire(peer& p, time_point now);
  void probe_steadily(std::uint64_t who, peer& p, time_point now,
                      std::vector<detector_action>& out);
  void advance(std::uint64_t who, peer& p, time_point now, std::vector<detector_action>& out);
  void ask_helpers(std::uint64_t who, peer& p, time_point now, std::vector<detector_action>& out);
  void vote(std::uint64_t who, peer& p, storage::vote_kind kind, time_point now,
            std::vector<detector_action>& out);
  std::uint64_t start_probe(peer& p, time_point until);
  [[nodiscard]] std::chrono::milliseconds head_start(std::uint64_t target) const;

  std::uint64_t self_;
  detector_options options_;
  ring ring_;
  std::map<std::uint64_t, peer> peers_;  // ordered: the same schedule gives the same actions
  std::vector<std::uint64_t> withdrawals_;
  std::optional<time_point> last_tick_;
  std::uint64_t numbers_ = 0;
};

}  // namespace baraza::cluster
