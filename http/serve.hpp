// One process that serves: store, node, bridge, edge and house bot, started in order and stopped in
// reverse.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/lobby.hpp"
#include "actors/table.hpp"
#include "actors/wallet.hpp"
#include "cluster/node.hpp"
#include "http/edge.hpp"

namespace baraza::http {

struct serve_options {
  std::string store_url;  // sqlite:PATH or postgresql://…
  bool allow_loss = false;
  std::string
      key_file;  // 32 bytes that seal server seeds; made with mode 0600 if it does not exist
  std::string admin_token_file;  // bearer token of the operators; empty: none asked
  std::string breached_file;     // passwords that nobody may choose (breached_list); empty: none
  std::string pepper_file;       // keys mixed into passwords (peppers); empty: none
  cluster::node_options node;
  actors::table_options table;
  actors::wallet_options wallet;
  actors::lobby_options lobby;
  edge_options edge;
  bool house_bot = false;
  std::string house_bot_folder;  // where its accounts are kept, mode 0600; empty: nowhere
  std::chrono::milliseconds stop_limit{10'000};  // for commits in flight on SIGTERM
};

/// Serves until SIGTERM or SIGINT; a second one ends at once.
/// @returns 0 after a clean stop, 1 when something could not be started or stopped, 2 when a node
/// of this name lives elsewhere or a file of passwords or their keys cannot be used (one line on
/// standard error)
int serve(serve_options options);

}  // namespace baraza::http
