// Questions that wait for an answer from elsewhere, each until its own time: a bounded table. Plain
// class, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace baraza::cluster {

template <class What>
class pending {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit pending(std::size_t most) : most_{most} {}

  /// @returns its number, never 0; 0: too many wait already, and `what` is dropped
  std::uint64_t add(What what, time_point until) {
    if (all_.size() >= most_) return 0;
    all_.emplace(++last_, one{until, std::move(what)});
    return last_;
  }
  /// Null: answered or given up before.
  [[nodiscard]] What* find(std::uint64_t number) {
    const auto known = all_.find(number);
    return known == all_.end() ? nullptr : &known->second.what;
  }
  std::optional<What> take(std::uint64_t number) {
    const auto known = all_.find(number);
    if (known == all_.end()) return std::nullopt;
    std::optional<What> out{std::move(known->second.what)};
    all_.erase(known);
    return out;
  }
  /// Those nobody has answered in time.
  std::vector<What> take_late(time_point now) {
    std::vector<What> out;
    for (auto at = all_.begin(); at != all_.end();) {
      if (now < at->second.until) {
        ++at;
        continue;
      }
      out.push_back(std::move(at->second.what));
      at = all_.erase(at);
    }
    return out;
  }

 private:
  struct one {
    time_point until;
    What what;
  };
  std::size_t most_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, one> all_;
};

}  // namespace baraza::cluster
