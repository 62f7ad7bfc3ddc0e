// The house bot: an ordinary client of the public protocol, so that a lone newcomer has somebody to
// play with. It sits in a few lobbies under one account each and plays until told to stop. One
// account per lobby: nobody is paired with himself, so that two of its seats never meet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace baraza::client {

struct house_bot_options {
  std::string display = "House bot";
  std::vector<std::uint8_t> best_of{1, 3, 5, 7};
  std::vector<std::int64_t> stakes{100, 500, 1000};  // minor units
  std::string folder;     // keeps its accounts over a restart; empty: new ones each time
  int thinking_ms = 400;  // before each card, so that a person sees what happens; 0: none
};

class house_bot {
 public:
  house_bot();
  ~house_bot();  // stops
  house_bot(const house_bot&) = delete;
  house_bot& operator=(const house_bot&) = delete;

  /// Starts a thread of its own that makes its accounts at `url` (ws://…), as soon as the server
  /// answers, and plays. False: the address cannot be read.
  bool start(std::string_view url, house_bot_options options = {});
  /// Ends its connections and the thread; matches under way are left to their clocks. May be called
  /// twice.
  void stop();
  /// Matches played to their ends so far.
  [[nodiscard]] std::uint64_t matches() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace baraza::client
