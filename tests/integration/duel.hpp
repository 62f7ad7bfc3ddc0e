// Two players of one match, clients of the public protocol, who draw when the test lets them.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "storage/ids.hpp"

namespace baraza::tests {

class duel {
 public:
  /// Two new guests of the server at `url`, who look for a match (draw, best of seven).
  explicit duel(const std::string& url);
  ~duel();
  duel(const duel&) = delete;

  /// Lets time pass for both until `holds`. @returns false after a minute
  template <class Holds>
  bool until(Holds holds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    while (!holds()) {
      if (std::chrono::steady_clock::now() > end) return false;
      step();
    }
    return true;
  }
  /// Whether they draw cards; at first they do not.
  /// Whoever may draw draws one card; @returns whether he has seen it.
  bool draw_one();
  void may_draw(bool now);
  [[nodiscard]] bool is_playing() const;
  /// Cards drawn by either, as both have seen them.
  [[nodiscard]] int cards() const;
  [[nodiscard]] bool is_over() const;  // for both
  [[nodiscard]] uuid table() const;
  /// "ended won", "voided …": how it ended and why, the same for both; else what each saw.
  [[nodiscard]] std::string end() const;
  /// Balance of each in minor units, as the server says.
  [[nodiscard]] std::array<std::int64_t, 2> money() const;

 private:
  struct parts;
  void step();
  std::unique_ptr<parts> parts_;
};

}  // namespace baraza::tests
