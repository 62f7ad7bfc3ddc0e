// What a game is: pure rules on values. No actor, clock, socket or random device is visible here;
// time and entropy are arguments. Write a game as plain functions on a state struct (see draw/ and
// docs/writing-a-game.md) and register it with `hosted<G>`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/games/fair.hpp"

namespace baraza::games {

using seat_index = std::uint8_t;
inline constexpr seat_index spectator = 0xFF;  // a view for somebody who holds no seat
using millis = std::int64_t;                   // cluster time, Unix epoch

/// A normal answer: the rules do not allow the command. Codes are snake_case, stable, documented
/// per game.
struct refusal {
  std::string_view code;      // static storage
  std::string_view sentence;  // static storage; says what is allowed
};

/// Events and commands travel as MessagePack maps; each game owns their fields and may only add to
/// them.
using event_bytes = std::string;
using events = std::vector<event_bytes>;
using decision = std::variant<events, refusal>;

/// Thrown by evolve and restore when bytes cannot be folded: the one reason a match is voided (rule
/// D3).
struct cannot_fold : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct match_setup {
  std::uint32_t rules_version =
      1;                // stored with the match; a node without it does not get the match
  std::string options;  // canonical MessagePack map, as rules::check_options returned it
  std::uint8_t seats = 2;
  fair::seeds seeds;  // server seed, game id, client seeds in seat order: locked before create
};

/// Who is awaited, and for how long. A new `number` restarts the clock of all awaited seats.
struct turn {
  std::uint32_t seats = 0;  // bit i: seat i is awaited; 0 only when the match is over
  std::uint32_t number = 0;
  std::int32_t limit_ms = 0;  // time each awaited seat has
};

/// How the pot is shared: seat i gets pot · weight[i] / Σ weights, rounded by largest remainder.
/// All equal: stakes go back, no rake.
struct outcome {
  std::vector<std::uint32_t> weights;
  std::string reason;  // "won", "forfeit", "both_absent", …: stable words
};

/// What made a game write an event: enough for a proof to ask the rules again and compare the
/// answer.
struct cause {
  enum class kind : std::uint8_t { command, timeout, forfeit };
  kind what = kind::command;
  seat_index seat = 0;     // of the command or the forfeit
  std::string command;     // bytes that decide accepts again
  std::uint32_t late = 0;  // seats of the time-out
};

/// One match in progress. Holds its state; `evolve` alone changes it. One thread at a time, const
/// members included: a match keeps the shuffle it computed last.
class match {
 public:
  virtual ~match() = default;
  /// What `command` causes, or why it is refused. Any bytes are allowed in; never throws for them.
  virtual decision decide(seat_index seat, std::string_view command, millis now) const = 0;
  /// Applies one event that decide, on_timeout or on_forfeit produced. Throws cannot_fold for bytes
  /// it did not write.
  virtual void evolve(std::string_view event) = 0;
  /// The clock of the current turn ran out for the seats in `late` (subset of whose_turn().seats).
  /// At least one event; repeated time-outs alone must end any match. Empty only if no seat of
  /// `late` is awaited or the match is over.
  virtual events on_timeout(std::uint32_t late, millis now) const = 0;
  /// The seat concedes or is removed. At least one event; empty only if there is no such seat or
  /// the match is over.
  virtual events on_forfeit(seat_index seat, millis now) const = 0;
  virtual turn whose_turn() const = 0;
  virtual std::optional<outcome> result() const = 0;
  /// All that `seat` may know, as a MessagePack map: enough to draw the screen anew.
  virtual std::string view(seat_index seat) const = 0;
  /// `event` as `seat` may see it; nothing if it may not know that it happened (its seq is used up
  /// all the same).
  virtual std::optional<std::string> visible(std::string_view event, seat_index seat) const = 0;
  /// State as bytes; rules::restore gives an equal match.
  virtual std::string snapshot() const = 0;
  /// How many nonces (shuffles) the match has used so far: they are 0 … n-1.
  virtual std::uint64_t nonces_used() const { return 0; }
  /// What caused a decision whose first event is `event`; nothing if the game cannot tell, then its
  /// matches have no proof.
  virtual std::optional<cause> cause_of(std::string_view event) const {
    (void)event;
    return std::nullopt;
  }
};

/// A registered game. Stateless.
class rules {
 public:
  virtual ~rules() = default;
  virtual std::string_view name() const = 0;  // "draw"; also the prefix of the fairness game id
  /// The newest; older ones it can still play are accepted by create.
  virtual std::uint32_t version() const = 0;
  virtual std::uint8_t seats_min() const = 0;
  virtual std::uint8_t seats_max() const = 0;
  /// Checks a player's options (MessagePack map, may be empty) and returns their canonical form
  /// with defaults filled in.
  virtual std::variant<std::string, refusal> check_options(std::string_view options) const = 0;
  virtual std::unique_ptr<match> create(const match_setup& setup) const = 0;
  virtual std::unique_ptr<match> restore(const match_setup& setup,
                                         std::string_view snapshot) const = 0;
  /// The command a simple bot would send for `seat` in this view, if it is its turn.
  virtual std::optional<std::string> bot_command(std::string_view view, seat_index seat) const = 0;
  /// A command of each shape that the game accepts somewhere: seeds for property tests and
  /// fuzzers.
  virtual std::vector<std::string> sample_commands() const = 0;
  /// Cards of each of its shuffles; 0 for a game without chance. Proofs list the shuffles in full.
  virtual std::uint16_t shuffle_size() const { return 0; }
};

/// The fairness game id of a match under these rules: "draw-1".
inline std::string fairness_id(std::string_view game, std::uint32_t rules_version) {
  return std::string{game} + '-' + std::to_string(rules_version);
}

/// All games of this binary, in registration order. Nothing is registered behind anyone's back:
/// registry.cpp lists them.
std::span<const rules* const> registered();
/// Null if there is no such game.
const rules* find(std::string_view name);

/// Adds a game for as long as this object lives: for tests and examples. Not safe while other
/// threads use the registry.
class scoped_registration {
 public:
  /// Throws std::invalid_argument if the name is taken.
  explicit scoped_registration(const rules& game);
  ~scoped_registration();
  scoped_registration(const scoped_registration&) = delete;
  scoped_registration& operator=(const scoped_registration&) = delete;

 private:
  const rules* game_;
};

}  // namespace baraza::games
