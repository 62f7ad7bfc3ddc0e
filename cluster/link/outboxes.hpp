// What waits for each peer's socket, filled by any thread and emptied by the link's. Bounded in
// messages, bytes and time.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/link/link.hpp"

namespace baraza::cluster {

class outboxes {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  struct message {
    std::string bytes;
    time_point deadline;
    std::uint64_t owner = 0;
  };
  using owners = std::vector<std::uint64_t>;

  /// @param wake set if the link's thread does not know yet that something waits
  send_result push(const std::string& peer, message what, bool& wake);
  /// From now on messages for this peer are taken.
  void open(const std::string& peer);
  /// Whose messages had not been taken.
  owners close(const std::string& peer);
  /// The oldest message that still has time; those that have not are put into `expired`. Nothing:
  /// the next push wakes again.
  std::optional<message> take(const std::string& peer, time_point now, owners& expired);
  /// Whose messages ran out of time while their sockets took nothing.
  owners expire(time_point now);
  [[nodiscard]] std::size_t bytes(const std::string& peer) const;

 private:
  struct box {
    std::deque<message> waiting;
    std::size_t bytes = 0;
    bool awake = false;
  };
  mutable std::mutex mutex_;
  std::map<std::string, box> boxes_;  // of peers that are up
};

}  // namespace baraza::cluster
