// WebSocket tickets: 30 s, single use, so that no long-lived token ever stands in a browser's
// socket code.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "http/caller.hpp"
#include "storage/identity.hpp"

namespace baraza::http {

class tickets {
 public:
  tickets(std::size_t most, millis live) : most_{most}, live_{live} {}
  /// Empty when there are too many unused ones.
  std::string issue(const caller& who, millis now);
  /// The ticket's owner, once.
  std::optional<caller> redeem(std::string_view ticket, millis now);

 private:
  struct entry {
    caller who;
    millis until = 0;
  };
  const std::size_t most_;
  const millis live_;
  std::mutex mutex_;
  std::unordered_map<std::string, entry> entries_;  // by digest
};

}  // namespace baraza::http
