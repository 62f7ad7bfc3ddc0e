// Access tokens seen a moment ago, so that a handshake or request does not always ask the store;
// and the logins that just ended, here or on another edge, so that a read that was on its way when
// somebody logged out cannot bring the login back.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "http/caller.hpp"
#include "storage/identity.hpp"

namespace baraza::http {

class access_cache {
 public:
  /// @param keep how long an entry is believed, should nobody say that its login ended
  access_cache(std::size_t entries_max, millis keep) : entries_max_{entries_max}, keep_{keep} {}

  std::optional<caller> find(const storage::digest& access, millis now);
  /// Nothing is kept for a login that ended since `who` was looked for.
  void put(const storage::digest& access, const caller& who, millis now);
  /// The login has other tokens now.
  void forget(const uuid& login);
  /// A login, or all of a player, have ended.
  void end(const uuid& login_or_player, millis now);
  /// How many ends were seen so far. Whoever looks for a caller in the store takes it before, as
  /// caller::seen_ends: what ended after that, the store may not have known yet.
  [[nodiscard]] std::uint64_t ends() const;
  [[nodiscard]] bool is_ended(const caller& who) const;

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
  struct ending {
    std::uint64_t number = 0;
    millis at = 0;
  };
  [[nodiscard]] bool has_ended(const caller& who) const;
  const std::size_t entries_max_;
  const millis keep_;
  mutable std::mutex mutex_;
  std::unordered_map<storage::digest, entry, digest_hash> entries_;
  std::unordered_map<uuid, storage::digest> tokens_;  // login → its token in entries_
  std::unordered_map<uuid, ending> ended_;            // login or player → its latest end
  std::uint64_t ends_ = 0;
};

}  // namespace baraza::http
