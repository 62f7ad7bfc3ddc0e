// The account a person plays with: found in the file, renewed or made anew, and asked about over
// HTTP.
#pragma once

#include <optional>
#include <string>

#include "http/client/http_api.hpp"
#include "http/client/play.hpp"
#include "http/client/player_file.hpp"

namespace baraza::client {

class play_account {
 public:
  explicit play_account(const play_options& options);

  /// Claims the name, finds or makes the account. False: `why` says what a person can do about it.
  bool sign_in(std::string& why);
  /// A new access token after the server refused the old one.
  bool renew();
  [[nodiscard]] const account& who() const { return known_.who; }
  [[nodiscard]] const remembered& known() const { return known_; }
  /// True if the remembered account was no longer known, so that a new one was made.
  [[nodiscard]] bool started_anew() const { return expired_; }
  [[nodiscard]] const std::string& name() const { return file_.name(); }

  std::optional<std::int64_t> balance();  // minor units
  std::vector<history_line> history(int limit);
  answer_or<std::string> proof(const uuid& match) { return api_.proof(known_.who, match); }
  /// Remembers the match under way, or (nil) that there is none.
  void remember(const uuid& match, std::string commit);

 private:
  template <class Ask>
  auto asked(Ask ask);

  const play_options& options_;
  http_api api_;
  player_file file_;
  remembered known_;
  bool expired_ = false;
};

}  // namespace baraza::client
