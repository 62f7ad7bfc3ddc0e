// The journal of one match: what happened, as compact MessagePack arrays [kind, at, …]. Newer
// versions may only add elements at the end of an array; kinds are never reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/games/fair.hpp"
#include "actors/messages.hpp"

namespace baraza::actors::table_event {

enum class kind : std::uint8_t {
  created = 1,
  hashes = 2,
  locked = 3,
  started = 4,
  game = 5,
  clock = 6,
  ended = 7,
  aborted = 8,
  voided = 9
};

inline constexpr std::uint8_t no_seat = 0xFF;

/// The match exists and its escrow is open; the server seed is fixed and sealed, its commitment
/// public.
struct created {
  std::string game;
  std::uint32_t rules_version = 1;
  std::string options;
  std::int64_t stake = 0;
  storage::currency money = storage::currency::demo;
  std::uint32_t rake_bp = 0;
  std::vector<seat_info> seats;
  fair::bytes32 commit{};
  std::string sealed;
  millis deadline = 0;  // all H_i are in by then
};
/// Every seat's H_i is in: from here on they may open.
struct hashes {
  std::vector<fair::bytes32> list;
  millis deadline = 0;  // all are open by then
};
struct opening {
  std::string seed;
  std::array<std::uint8_t, 16> salt{};
};
/// All client seeds are known and fixed; the stakes are asked for under these ids (rule D1:
/// journalled before the first ask).
struct locked {
  std::vector<opening> seeds;
  std::vector<uuid> buy_ins;
  millis deadline = 0;  // all stakes are in by then
};
struct started {};
/// One event of the game. `command` 0: no player's command (time-out, or a further event of the
/// same command).
struct game {
  std::uint8_t seat = no_seat;
  std::uint64_t command = 0;
  std::string_view body;
};
/// The table came back after a crash or a move: the awaited seats have this long from now (rule C).
struct clock {
  std::uint32_t seats = 0;
  std::int32_t left_ms = 0;
};
struct ended {
  std::string reason;
  std::vector<std::uint32_t> weights;
  std::vector<std::int64_t> payouts;
  std::int64_t rake = 0;
  fair::bytes32 server_seed{};
};
/// Ended before a stake was asked for.
struct aborted {
  std::string reason;
  std::uint32_t who = 0;  // seat mask: who did not get ready, or did not open
  fair::bytes32 server_seed{};
};
/// Ended with the stakes given back.
struct voided {
  std::string reason;
  std::uint32_t who = 0;
  std::vector<std::int64_t> refunds;  // per seat
  std::optional<fair::bytes32> server_seed;
};

using any = std::variant<created, hashes, locked, started, game, clock, ended, aborted, voided>;
struct stamped {
  millis at = 0;
  any what;
};

std::string encode(millis at, const any& what);
/// The hot path: without building a variant.
std::string encode_game(millis at, std::uint8_t seat, std::uint64_t command, std::string_view body);
/// Throws games::cannot_fold for bytes that encode did not write. game::body points into `bytes`.
stamped decode(std::string_view bytes);
#ifdef BARAZA_TEST_COMMANDS
/// Ends the process that folds it with the rules at hand, as a segmentation fault in them would.
inline constexpr std::string_view deadly{"\x92\xCC\xFB\x00", 4};
#endif
/// The kind alone, read without understanding the rest; nothing if not even that can be read.
std::optional<kind> kind_of(std::string_view bytes);

}  // namespace baraza::actors::table_event
