// Who a player is: names, password hashes, tokens. Its own tables, so that a person can be erased
// while the ledger stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/ids.hpp"
#include "storage/store.hpp"

namespace baraza::storage {

using digest =
    std::array<std::uint8_t, 32>;  // SHA-256 of a token; the token itself is never stored

struct identity {
  uuid player;                      // random key: the only name that wallets and matches know
  std::optional<std::string> name;  // phone (E.164) or e-mail, normalised; none for guests
  std::string display;              // shown to opponents
  std::string password_hash;        // PHC string (argon2id); empty for guests
  bool disabled = false;
  millis created_at = 0;
};

/// A login: one refresh token family. Access tokens are short and stored beside it.
struct login_session {
  uuid id;
  uuid player;
  digest access, refresh;
  digest previous_refresh{};  // the one rotated away: its reuse ends the family
  millis access_expires_at = 0, idle_expires_at = 0, absolute_expires_at = 0;
  std::string device;  // what the client said of itself; ≤ 64 bytes
};

/// Safe from several threads (an implementation locks or pools inside). All calls block.
class identity_store {
 public:
  virtual ~identity_store() = default;
  /// Errors: exists (the name is taken), unavailable.
  virtual status create(const identity& who, const login_session& first) = 0;
  virtual result<identity> by_name(std::string_view name) = 0;  // not_found
  virtual result<identity> by_player(const uuid& player) = 0;
  /// Display names in the order asked; empty where unknown.
  virtual result<std::vector<std::string>> displays(std::span<const uuid> players) = 0;
  virtual status set_password_hash(const uuid& player, std::string_view hash) = 0;
  /// Logins are not touched: see end_all. Errors: not_found.
  virtual status set_disabled(const uuid& player, bool disabled) = 0;

  virtual status add_session(const login_session& session) = 0;
  virtual result<login_session> by_access(const digest& access) = 0;
  /// Finds by current *or* previous refresh digest, so that reuse can be told from nonsense.
  virtual result<login_session> by_refresh(const digest& refresh) = 0;
  /// Replaces both tokens if `expected_refresh` is still current; seq_conflict otherwise.
  virtual status rotate(const login_session& renewed, const digest& expected_refresh) = 0;
  virtual result<std::vector<login_session>> sessions(const uuid& player) = 0;
  virtual status end_session(const uuid& session) = 0;
  virtual result<std::uint32_t> end_all(const uuid& player) = 0;  // how many ended
  virtual status purge_expired(millis now) = 0;
};

}  // namespace baraza::storage
