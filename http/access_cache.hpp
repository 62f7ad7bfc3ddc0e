// Access tokens seen a moment ago, so that a handshake or request does not always ask the store;
// and the logins that just ended, so that a read that was on its way when somebody logged out
// cannot bring the login back.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "http/caller.hpp"
#include "storage/identity.hpp"

namespace baraza::http {

class access_cache {
 public:
  /// @param keep how long an entry is believed; other edges' logouts are seen after at most that
  access_cache(std::size_t entries_max, millis keep) : entries_max_{entries_max}, keep_{keep} {}

  std::optional<caller> find(const storage::digest& access, millis now);
  /// Nothing is kept for a login that ended.
  void put(const storage::digest& access, const caller& who, millis now);
  /// Forgets the login's token; `ended`: also refuses it from now on.
  void forget(const uuid& login, bool ended, millis now);
  [[nodiscard]] bool is_ended(const uuid& login) const;

 private:
  struct digest_hash {
    std::size_t operator()(const storage::digest& d) const noexcept {
      std::size_t out;
      std::memcpy(&out, d.data(), sizeof out);
      return out;
    }
  };
  struct entry {
    caller who;
    millis until = 0;
  };
  const std::size_t entries_max_;
  const millis keep_;
  mutable std::mutex mutex_;
  std::unordered_map<storage::digest, entry, digest_hash> entries_;
  std::unordered_map<uuid, storage::digest> tokens_;  // login → its token in entries_
  std::unordered_map<uuid, millis> ended_;  // login → when; kept for the longest read on its way
};

}  // namespace baraza::http
