// What a client of baraza.v1 does at a table, without sockets and clocks: fed with frames and time,
// it says what to send. `play`, `load` and the house bot drive the same machine.
//
//            queue()            lobby.matched          hashes           started            ended,
//            aborted,
//   idle ─────────────▶ queued ──────────────▶ seated ────────▶ opened ─────────▶ playing ──
//   voided, gone ──▶ idle
//                          ▲                      │                │                  │
//              lobby.join again         table.watch{last seq}, then every unanswered request again
//                          └────── after a reconnect, in whatever phase it happened ──┘
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/games/fair.hpp"
#include "http/client/account.hpp"
#include "http/wire.hpp"
#include "storage/ids.hpp"

namespace baraza::client {

namespace wire = baraza::http::wire;

using time_point = std::chrono::steady_clock::time_point;

enum class phase : std::uint8_t { idle, queued, seated, opened, playing };
std::string_view to_string(phase where);

/// One event of the table's journal as this seat may see it.
struct table_event {
  std::uint64_t seq = 0;
  millis at = 0;
  std::string_view type;
  std::string_view body;  // the whole MessagePack map
};

class match_player {
 public:
  struct options {
    std::string game = "draw";
    std::string game_options;  // MessagePack map
    std::int64_t stake = 100;  // minor units
    storage::currency money = storage::currency::demo;
    uuid self;         // our player key: tells our seat among the others
    std::string seed;  // client seed, 1–64 bytes; empty: 16 random bytes for each match
  };

  /// Called from within receive(); must not call back into the machine except act(), concede() and
  /// queue().
  class listener {
   public:
    virtual ~listener() = default;
    virtual void send(std::string_view frame) = 0;  // MessagePack, one binary message
    virtual void matched(std::string_view /*fields*/) {}
    virtual void happened(const table_event& /*event*/) {}
    /// A fresh view replaced what was known: after a long absence, or when joining.
    virtual void viewed(std::string_view /*view*/) {}
    /// The command is durable and was pushed to every seat. `sent`: when it was sent first.
    virtual void acknowledged(std::uint64_t /*command*/, std::uint64_t /*seq*/,
                              time_point /*sent*/) {}
    virtual void refused(std::string_view /*what*/, const problem& /*why*/) {}
    /// The match is over. `how`: "ended", "aborted", "voided" with the event's map, or "gone" with
    /// nothing.
    virtual void over(std::string_view /*how*/, std::string_view /*event*/) {}
    virtual void pushed(std::string_view /*type*/, std::string_view /*frame*/) {}
  };

  match_player(options what, listener& out);

  // ---- wishes
  void queue(time_point now);  // into the lobby, from idle
  void leave(time_point now);  // out of it
  /// Sends a game command (a MessagePack map). False while an earlier one is unanswered or no match
  /// is being played.
  bool act(std::string action, time_point now);
  bool concede(time_point now);
  /// Takes up a match of an earlier process: its last accepted command is read from the view.
  void resume(const uuid& table, time_point now);

  // ---- the connection
  void online(time_point now);  // a new authenticated connection
  void offline();
  void receive(std::string_view frame, time_point now);
  /// Sends what is due. True: a request has waited too long; the connection should be made anew.
  bool tick(time_point now);

  // ---- state
  [[nodiscard]] phase where() const { return phase_; }
  [[nodiscard]] const uuid& table() const { return table_; }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] std::uint8_t seat() const { return seat_; }
  [[nodiscard]] bool busy() const { return command_.has_value(); }
  [[nodiscard]] const std::string& commit() const { return commit_; }  // as first seen (hex)
  [[nodiscard]] const std::string& seed() const { return seed_; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& salt() const { return salt_; }
  [[nodiscard]] std::uint64_t gaps() const {
    return gaps_;
  }  // pushes that were missing and asked for
  void set_options(options what) { options_ = std::move(what); }  // counts from the next queue()

 private:
  enum class kind : std::uint8_t { none, join, leave, watch, ready, open, command };
  struct request {
    kind what = kind::none;
    std::uint64_t id = 0;  // 0: to be sent at `due`
    time_point due;        // when to send it, or when to give the connection up
  };
  struct command {
    std::uint64_t number = 0;
    std::string action;  // empty: concede
    time_point first_sent;
    std::uint32_t sends = 0;
  };

  void want(kind what, time_point now);
  void forget(kind what);
  void put_off(kind what, time_point until);
  void transmit(request& which, time_point now);
  wire::client_frame frame_of(kind what) const;
  void seat_at(const uuid& table, time_point now);
  void choose_seed();
  void receive_events(std::string_view frame, time_point now);
  void receive_view(std::string_view frame, time_point now);
  void receive_matched(std::string_view frame, time_point now);
  void receive_ok(std::uint64_t re, std::string_view frame, time_point now);
  void receive_error(std::string_view frame, time_point now);
  void apply(const table_event& event, time_point now);
  void apply_view(std::string_view view, time_point now);
  void find_seat(std::string_view seats);
  void finish(std::string_view how, std::string_view event);
  void answer_command(std::uint64_t seq);
  kind kind_of(std::uint64_t id) const;

  options options_;
  listener& out_;
  bool online_ = false;
  phase phase_ = phase::idle;
  uuid table_;
  std::uint64_t epoch_ = 0, seq_ = 0;
  std::uint64_t head_ = 0;  // the highest seq heard of; beyond seq_ only while something is missing
  std::uint8_t seat_ = 0xFF;
  std::string commit_, seed_;
  std::array<std::uint8_t, 16> salt_{};
  bool locked_ = false;  // the client seeds are in the journal
  std::uint64_t next_id_ = 1;
  std::uint64_t next_command_ = 1;
  std::optional<command> command_;
  std::vector<request> requests_;  // at most one of each kind
  std::uint64_t gaps_ = 0;
};

}  // namespace baraza::client
