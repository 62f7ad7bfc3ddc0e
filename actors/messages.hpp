// What entities are asked and what they answer: plain values, one struct a message, no bare
// integers. In one process they travel as they are; between nodes the region packs them (append
// alternatives, never reorder).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/ids.hpp"
#include "storage/store.hpp"

namespace baraza::actors {

// ---- where an answer goes

/// Where the answer goes. `edge` != 0: to that edge's gateway (session and request as the edge
/// numbered them). Else, if `entity` is set, to that entity's on_answer under `request`. Neither:
/// nobody waits.
struct reply_to {
  std::uint32_t edge = 0;
  std::uint64_t session = 0;
  std::uint64_t request = 0;
  std::optional<entity_id> entity;
};

// ---- requests

struct wallet_get {
  storage::currency money = storage::currency::demo;
};
/// Takes `amount` into the match's escrow. `transfer` names it for ever: a repeat gets the first
/// answer.
struct wallet_buy_in {
  uuid transfer, match;
  storage::account_id escrow;
  std::int64_t amount = 0;
  storage::currency money = storage::currency::demo;
};
/// Somebody credited this wallet; counts only with a higher version (rule D5). No answer.
struct wallet_credited {
  storage::balance now;
  storage::currency money = storage::currency::demo;
};

struct seat_info {
  uuid player;
  std::string display;
};
struct table_create {
  std::string game, options;  // options: canonical MessagePack
  std::int64_t stake = 0;     // minor units per seat
  storage::currency money = storage::currency::demo;
  std::vector<seat_info> seats;
};
struct table_watch {
  uuid player;
  std::uint64_t seq = 0;
  std::uint64_t epoch = 0;
};  // player nil: spectator; answer: table_view
/// An edge says which table it still watches, and up to where (rule E1). Answered only if something
/// is missing.
struct table_renew {
  std::uint64_t seq = 0;
};
struct table_unwatch {};  // the edge's last watcher left
struct table_ready {
  uuid player;
  std::array<std::uint8_t, 32> hash{};
};
struct table_open {
  uuid player;
  std::string seed;
  std::array<std::uint8_t, 16> salt{};
};
struct table_act {
  uuid player;
  std::uint64_t command = 0;
  std::string action;
};
struct table_concede {
  uuid player;
  std::uint64_t command = 0;
};

struct lobby_join {
  uuid ticket, player, login;
  std::string display, game, options;
  std::int64_t stake = 0;
  storage::currency money = storage::currency::demo;
  std::int32_t rating = 1500;
};
struct lobby_leave {
  uuid ticket, player;
  bool lost_connection = false;
};  // lost: the grace time runs first
struct lobby_back {
  uuid ticket, player;
};  // the connection returned within the grace time

/// An operator's word on an entity that is quarantined. Its region obeys, not the entity itself;
/// answer: accepted once it has begun.
struct operator_order {
  enum class action : std::uint8_t {
    retry,   // forgives all and brings it back
    give_up  // voids it without running its code
  } what{};
  std::string by;  // who says so, for the record
};

#ifdef BARAZA_TEST_COMMANDS
/// Test builds only: makes the entity misbehave on purpose.
struct debug_fault {
  enum class how : std::uint8_t {
    throws,
    asserts,
    cannot_fold,
    holds_thread,
    dies_at_fold,
    crashes
  } what{};
};
using request =
    std::variant<wallet_get, wallet_buy_in, wallet_credited, table_create, table_watch, table_renew,
                 table_unwatch, table_ready, table_open, table_act, table_concede, lobby_join,
                 lobby_leave, lobby_back, operator_order, debug_fault>;
#else
using request = std::variant<wallet_get, wallet_buy_in, wallet_credited, table_create, table_watch,
                             table_renew, table_unwatch, table_ready, table_open, table_act,
                             table_concede, lobby_join, lobby_leave, lobby_back, operator_order>;
#endif

// ---- answers

struct accepted {
  std::uint64_t seq = 0;
};  // durable at this seq of the entity's journal (0: nothing was journalled)
/// A refusal or an operating error. `code` is a stable word of docs/protocol.md; unknown outcome is
/// code "timeout".
struct refused {
  std::string code, message;
  std::uint32_t retry_ms = 0;
};
struct wallet_state {
  storage::currency money = storage::currency::demo;
  std::int64_t balance = 0, available = 0;
  std::uint64_t version = 0;
};
struct bought_in {
  std::int64_t balance = 0;
  std::uint64_t version = 0;
};
/// The table as one seat may see it, or the events it missed.
struct table_view {
  std::uint64_t epoch = 0, seq = 0;
  std::uint8_t seat = 0xFF;  // 0xFF: spectator
  bool events_only =
      false;  // body: MessagePack array of event maps after the seq asked for; else one view map
  std::string body;
};
using answer = std::variant<accepted, refused, wallet_state, bought_in, table_view>;

// ---- pushes to edges

/// One per edge and commit. `bodies[i]`: MessagePack array of the events as the seats of `masks[i]`
/// may see them (bit 31: spectators).
struct table_events {
  uuid table;
  std::uint64_t epoch = 0, prev = 0, seq = 0;
  struct variant_body {
    std::uint32_t seats = 0;
    std::string body;
  };
  std::vector<variant_body> bodies;
  /// Whose commands it answers ("re" in that session's frame), in the order of the events; all of
  /// edges. Nobody's: empty.
  std::vector<reply_to> causes;
  bool ended = false;  // the match is over: watchers need no renewal
};
/// To one player's sessions.
struct player_push {
  uuid player;
  std::string type;  // "lobby.matched", "wallet.changed", …
  std::uint32_t count = 0;
  std::string fields;  // as wire::push_frame wants them
  uuid table;          // lobby.matched: the edge subscribes the player's sessions to it; else nil
};
/// The entity was activated again: edges that watch it ask for what they missed.
struct table_restarted {
  uuid table;
};
using push = std::variant<table_events, player_push, table_restarted>;

}  // namespace baraza::actors
