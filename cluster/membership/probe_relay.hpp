// Tries a member on behalf of another one that gets no answer from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/membership/limits.hpp"

namespace baraza::cluster {

/// At most `relays_max` at a time; what is dropped, the asker's own time limit covers. The probes
/// it sends have numbers of their own, apart from the failure detector's.
class probe_relay {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  struct request {
    std::uint64_t asker = 0, target = 0, asked_number = 0;
    bool operator==(const request&) const = default;
  };

  /// @returns the number to probe `target` under; nothing: too many at once
  std::optional<std::uint64_t> asked(const request& what, time_point now) {
    std::erase_if(open_, [&](const auto& o) { return now >= o.until; });
    if (open_.size() >= relays_max) return std::nullopt;
    open_.push_back({what, ++numbers_, now + probe_timeout});
    return numbers_;
  }
  /// The probe was answered or refused: whom to tell. Nothing: too late, or not ours.
  std::optional<request> ended(std::uint64_t number) {
    for (auto o = open_.begin(); o != open_.end(); ++o)
      if (o->number == number) {
        const auto what = o->what;
        open_.erase(o);
        return what;
      }
    return std::nullopt;
  }

 private:
  struct open_probe {
    request what;
    std::uint64_t number = 0;
    time_point until;
  };
  std::vector<open_probe> open_;
  std::uint64_t numbers_ = 0;
};

}  // namespace baraza::cluster
