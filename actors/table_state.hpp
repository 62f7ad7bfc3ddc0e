// A match as the fold of its journal: the same code brings it back after a crash, applies it live,
// replays and proves it.
//
//   none ─created→ ready ─hashes→ opening ─locked→ buying ─started→ playing ─ended→ ended
//                    └──────────┴─aborted→ aborted   └─────────────┴─voided→ voided
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/games/game.hpp"
#include "actors/seal.hpp"
#include "actors/table_events.hpp"

namespace baraza::actors {

enum class phase : std::uint8_t { none, ready, opening, buying, playing, ended, aborted, voided };
std::string_view to_string(phase p);
constexpr bool is_over(phase p) { return p >= phase::ended; }

/// Finds a game's rules by name; null if this binary lacks it. Tests bring games of their own.
using game_finder = const games::rules* (*)(std::string_view);

/// An accepted command and where it stands in the journal (rule D4).
struct accepted_command {
  std::uint64_t command = 0;
  std::uint64_t seq = 0;
};

struct seat_state {
  uuid player;
  std::string display;
  fair::bytes32 hash{};
  std::string seed;
  std::array<std::uint8_t, 16> salt{};
  std::vector<accepted_command> commands;  // ascending, at most repeats_per_seat_max
};

/// How a match ended; kept apart as most of a table's life has none.
struct table_result {
  std::string reason;
  std::uint32_t who = 0;
  std::vector<std::int64_t> payouts;  // or refunds
  std::int64_t rake = 0;
  std::optional<fair::bytes32> server_seed;
};

struct table_state {
  /// @param key opens the sealed server seed; null: only the revealed one is known (records,
  /// replays of ended matches)
  /// @param find null: game events are passed over (a void must not run the game's code)
  table_state(const uuid& match_id, const cluster_key* key, game_finder find)
      : match{match_id}, key_{key}, find_{find} {}

  uuid match;
  phase now = phase::none;
  std::uint64_t seq = 0;
  millis last_at = 0;
  const games::rules* rules = nullptr;
  std::string game, options;
  std::uint32_t rules_version = 1;
  std::int64_t stake = 0;
  storage::currency money = storage::currency::demo;
  std::uint32_t rake_bp = 0;
  std::vector<seat_state> seats;
  fair::bytes32 commit{};
  std::string sealed;
  std::uint64_t hashes_seq = 0, locked_seq = 0;
  std::vector<uuid> buy_ins;
  millis deadline = 0;  // of the phase; while playing: of the current turn
  std::uint32_t turn_number = 0;
  std::unique_ptr<games::match> play;
  std::unique_ptr<table_result> result;

  /// Applies one event of the journal. Throws games::cannot_fold when the bytes cannot be
  /// understood, std::runtime_error when this binary lacks the game or the key (another node may
  /// have them: no reason to void).
  void fold(std::uint64_t at_seq, std::string_view event);
  /// Applies a game's event: fold without the envelope.
  void apply_game(std::uint64_t at_seq, millis at, std::uint8_t seat, std::uint64_t command,
                  std::string_view body);

  [[nodiscard]] std::uint8_t seat_of(const uuid& player) const;  // no_seat if he holds none
  /// The seq of an accepted command; nothing if it was not accepted (or too long ago).
  [[nodiscard]] std::optional<std::uint64_t> accepted_at(std::uint8_t seat,
                                                         std::uint64_t command) const;
  [[nodiscard]] std::uint64_t last_command(std::uint8_t seat) const;
  [[nodiscard]] storage::account_id escrow() const { return storage::escrow_account(match, money); }
  /// Opens the sealed seed and checks it against the commitment; nothing if the key is another one.
  [[nodiscard]] std::optional<fair::bytes32> server_seed() const;
  /// A revealed seed, for replays without the key.
  void reveal(const fair::bytes32& seed) { revealed_ = seed; }
  [[nodiscard]] std::uint32_t seat_mask() const { return (1u << seats.size()) - 1; }

  [[nodiscard]] std::string snapshot() const;
  /// Throws games::cannot_fold for bytes that snapshot did not write.
  void restore(std::string_view bytes);

 private:
  void apply(std::uint64_t at_seq, millis at, const table_event::created& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::hashes& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::locked& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::started& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::game& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::clock& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::ended& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::aborted& e);
  void apply(std::uint64_t at_seq, millis at, const table_event::voided& e);
  void find_rules();
  void expect(bool holds, const char* what) const;
  void update_clock(millis at, bool restart);
  [[nodiscard]] games::match_setup setup() const;

  const cluster_key* key_;
  game_finder find_;
  std::optional<fair::bytes32> revealed_;
};

}  // namespace baraza::actors
