// The account of one seat of the house bot. Kept in a folder of the node (mode 0600), so that the
// bot is the same player after a restart and goes on with the match it was in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/client/player_file.hpp"

namespace baraza::client {

class http_api;

class house_account {
 public:
  /// @param folder where accounts are kept; empty: nowhere, and each process plays as new guests
  /// @param seat names this one among the bot's, e.g. "best-of-3-stake-500"
  house_account(const std::string& folder, std::string_view seat, std::string display);

  /// The remembered account if the server still knows it, else a new guest. False: the server gives
  /// no answer now; ask again.
  bool sign_in(http_api& api);
  /// New tokens for the same player or, when its login is over, a new guest. False as above.
  bool renew(http_api& api);
  /// A new guest with a new purse.
  bool start_anew(http_api& api);

  [[nodiscard]] const account& who() const { return known_.who; }
  /// The match under way when the last process ended; nil: none.
  [[nodiscard]] const uuid& match() const { return known_.match; }
  void remember(const uuid& match);

 private:
  void save();

  std::optional<player_file> file_;
  std::string display_;
  remembered known_;
};

}  // namespace baraza::client
