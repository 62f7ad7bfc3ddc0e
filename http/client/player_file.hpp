// The accounts that `baraza play` remembers: ${XDG_STATE_HOME:-~/.local/state}/baraza/player.json,
// readable by its owner only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/client/account.hpp"

namespace baraza::client {

/// What is remembered under one name on one server.
struct remembered {
  account who;
  uuid match;          // one that was under way when the program ended; nil: none
  std::string commit;  // of that match, as first seen
};

/// One name on one server, held while the program runs: two windows never play as the same player
/// by accident.
class player_file {
 public:
  /// @param folder empty: the folder of this user
  explicit player_file(std::string folder = {});
  ~player_file();
  player_file(const player_file&) = delete;
  player_file& operator=(const player_file&) = delete;

  /// Takes `name` for this process. False: another process plays under it, or the folder cannot be
  /// used (see error()).
  bool claim(std::string_view server, std::string_view name);
  /// `name`, or the first free of "name-2" … "name-9".
  bool claim_free(std::string_view server, std::string_view name);
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& error() const { return error_; }

  std::optional<remembered> load();
  /// Written aside and renamed: a crash leaves the old file. False: see error().
  bool save(const remembered& what);
  [[nodiscard]] std::string path() const { return folder_ + "/player.json"; }

 private:
  void release();

  std::string folder_, key_, name_, error_;
  int claim_ = -1;  // descriptor of the lock file
};

}  // namespace baraza::client
