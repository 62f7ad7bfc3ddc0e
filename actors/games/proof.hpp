// A match's proof: one JSON file with which anybody can recompute every card, the result and the
// payouts, and see that nothing was chosen after somebody could profit from it.
// docs/writing-a-game.md lists its fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/games/game.hpp"
#include "actors/games/payout.hpp"

namespace baraza::games {

inline constexpr std::int64_t proof_version = 1;
inline constexpr std::size_t proof_bytes_max = 8 * 1024 * 1024;  // a larger file is not read

struct proof_seat {
  std::string player;       // the random player key, as text
  std::int64_t stake = 0;   // minor units
  std::string client_seed;  // bytes
  std::string salt;         // bytes
  fair::bytes32 hash{};     // H_i, sent before any seed was opened
  millis hash_at = 0;       // when H_i was logged
  millis seed_at = 0;       // when the seed was opened
};
struct proof_event {
  std::uint64_t seq = 0;  // of the match's journal, ascending, not necessarily dense
  millis at = 0;
  event_bytes bytes;
};

/// All that a match's journal and transfers say, once the server seed may be shown.
struct match_record {
  std::string match;  // id as text
  std::string game;
  std::uint32_t rules_version = 1;
  std::string options;   // canonical MessagePack
  std::string currency;  // "DEMO", "KES"
  std::uint32_t rake_bp = 0;
  fair::bytes32 server_seed{};
  fair::bytes32 commit{};  // as it was logged and shown
  millis commit_at = 0;
  std::vector<proof_seat> seats;  // in seat order
  std::vector<proof_event> log;   // the game's own events, nothing of the table's
  millis started_at = 0;
  millis ended_at = 0;
  outcome end;
  settlement paid;
};

/// The file's text. Says what the record says, even where it does not verify. Throws
/// std::invalid_argument for a game that is not registered and cannot_fold for a log that cannot be
/// read.
std::string write_proof(const match_record& record);

struct proof_step {
  std::string
      name;  // stable word: file, commit, seeds, shuffles, replay, result, payout, nonces, times
  bool ok = false;
  std::string why;  // one sentence: what was checked, or what is wrong
};

/// Every check of the file, in order. A file that is no proof gives the single failed step `file`.
std::vector<proof_step> verify_proof(std::string_view json);
bool is_verified(const std::vector<proof_step>& steps);

/// `baraza proof verify FILE`: prints each step, or with `json` one object. 0: verified, 1: a check
/// failed, 2: the file cannot be read.
int proof_verify_command(const std::string& path, bool json);

}  // namespace baraza::games
