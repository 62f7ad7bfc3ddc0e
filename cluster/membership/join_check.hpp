// Whether a newcomer may become `up`: all who are up must answer it, both ways (rule B2).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "cluster/membership/limits.hpp"
#include "storage/membership.hpp"

namespace baraza::cluster {

/// Greets every up or draining member until each has answered that it, too, can reach the newcomer
/// (it dials back before it answers). Greetings to one that does not answer wait twice as long each
/// time, up to `greet_every_max`. Members that die meanwhile no longer count.
class join_check {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr auto greet_every_first = 200ms;
  static constexpr auto greet_every_max = 5000ms;

  explicit join_check(std::uint64_t self) : self_{self} {}

  void set_members(const std::vector<storage::member>& members) {
    std::map<std::uint64_t, greeting> now_up;
    for (const auto& m : members)
      if (m.incarnation != self_ && m.status != storage::member_status::joining)
        now_up[m.incarnation] = greetings_[m.incarnation];
    greetings_ = std::move(now_up);
  }
  /// Whom to greet now.
  std::vector<std::uint64_t> tick(time_point now) {
    std::vector<std::uint64_t> due;
    for (auto& [who, g] : greetings_)
      if (!g.answered && now >= g.next) {
        g.next = now + g.wait;
        g.wait = std::min<std::chrono::milliseconds>(2 * g.wait, greet_every_max);
        due.push_back(who);
      }
    return due;
  }
  void answered(std::uint64_t who) {
    if (const auto found = greetings_.find(who); found != greetings_.end())
      found->second.answered = true;
  }
  /// True on an empty cluster: the first member has nobody to ask.
  [[nodiscard]] bool is_complete() const {
    for (const auto& [who, g] : greetings_)
      if (!g.answered) return false;
    return true;
  }
  /// Who has not answered yet, for the log.
  [[nodiscard]] std::vector<std::uint64_t> missing() const {
    std::vector<std::uint64_t> who;
    for (const auto& [id, g] : greetings_)
      if (!g.answered) who.push_back(id);
    return who;
  }

 private:
  struct greeting {
    bool answered = false;
    time_point next{};
    std::chrono::milliseconds wait = greet_every_first;
  };
  std::uint64_t self_;
  std::map<std::uint64_t, greeting> greetings_;
};

}  // namespace baraza::cluster
