// The table's class, split over table.cpp (seats and seeds), table_watch.cpp, table_play.cpp
// (commands, clock, settlement) and table_money.cpp (buy-ins and voids).
//
// One commit in flight at a time; commands that come before it has left go with it. A game's events
// are applied before their commit (its outcome decides what else the commit holds); nobody sees
// that state before it is durable, and a refused commit ends the actor, which comes back from the
// journal.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/table.hpp"
#include "actors/table_state.hpp"
#include "actors/table_view.hpp"

namespace baraza::actors {

class table final : public entity {
 public:
  table(const entity_id& id, const table_options& options);

  void restore(std::string_view snapshot) override { state_.restore(snapshot); }
  void fold(std::uint64_t seq, millis, std::string_view event) override { state_.fold(seq, event); }
  void recall(const std::vector<poison>& known, bool just_now) override;
  void activated(context& ctx, bool fresh) override;
  void handle(const request& what, const reply_to& from, context& ctx) override;
  std::optional<change> join(const request& what, const reply_to& from, context& ctx) override;
  void committed(const storage::member_result& result, context& ctx) override;
  void answered(std::uint64_t correlation, const answer& what, context& ctx) override;
  void timer(context& ctx) override;
  void transfers_read(std::uint64_t, const std::vector<storage::transfer>& found,
                      context& ctx) override;

 private:
  /// The commit on its way.
  struct flight {
    std::vector<reply_to> causes;  // empty: a clock
    std::uint64_t prev = 0;
    millis since = 0;
    std::vector<public_event> shown{};     // game events, already applied
    std::vector<std::string> lifecycle{};  // to be applied when durable, after those
    bool is_clock = false, has_snapshot = false;
  };
  /// Before the lock: what players have sent and a restart forgets (they send it again).
  struct gathering {
    std::uint32_t ready = 0, open = 0;
    std::vector<fair::bytes32> hashes;
    std::vector<table_event::opening> openings;
  };
  /// The stakes are being asked for, or given back.
  struct buying {
    std::uint32_t paid = 0, ask_again = 0;
    millis ask_again_at = 0;
    bool voiding = false;
    int void_attempts = 0;
    std::string reason;
    std::uint32_t who = 0;
  };

  // seats and seeds (table.cpp), watching (table_watch.cpp)
  void create(const table_create& what, const reply_to& from, context& ctx);
  void ready(const table_ready& what, const reply_to& from, context& ctx);
  void open(const table_open& what, const reply_to& from, context& ctx);
  void watch(const table_watch& what, const reply_to& from, context& ctx);
  void renew(const table_renew& what, const reply_to& from, context& ctx);
  void abort(std::string_view reason, std::uint32_t who, context& ctx);
  void write(change what, flight on_its_way, context& ctx);
  void write_event(const table_event::any& event, change what, const reply_to& cause, context& ctx);
  void refused_commit(const storage::member_result& result, context& ctx);
  void entered_phase(const storage::member_result& result, context& ctx);
  void publish(flight done, context& ctx);
  void arm(context& ctx);
  [[nodiscard]] millis due() const;
  [[nodiscard]] volatile_seats seats_now() const;
  [[nodiscard]] bool is_recent(std::uint64_t seq) const;
  [[nodiscard]] const public_event* after(std::uint64_t seq, std::size_t& count) const;
  [[nodiscard]] fair::bytes32 revealed_seed() const;
  void random(void* out, std::size_t size) const;

  // play (table_play.cpp)
  void act(const table_act& what, const reply_to& from, context& ctx);
  void concede(const table_concede& what, const reply_to& from, context& ctx);
  /// False when the command is answered already: a repeat, or not to be decided.
  bool may_decide(const uuid& player, std::uint64_t command, std::uint8_t& seat,
                  const reply_to& from, context& ctx);
  void refuse_poison(poison which, const reply_to& from, context& ctx);
  /// Throws `poisoned` when the rules fail at what a player's command has caused.
  void write_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                  const reply_to& cause, context& ctx);
  /// Applies the events; @returns the change that makes them durable.
  change compose_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                      flight& on_its_way, context& ctx);
  change apply_play(const games::events& events, std::uint8_t seat, std::uint64_t command,
                    flight& on_its_way, context& ctx);
  /// Only what would be accepted without a word: anything else waits for the commit.
  [[nodiscard]] bool may_join(const table_act& what, std::uint8_t& seat) const;
  void settle_into(change& what, flight& on_its_way, const games::outcome& outcome, millis now);
  void resume_clock(context& ctx);
  void note_clock(bool held);
  [[nodiscard]] bool is_clock_stale(const context& ctx) const;
  void time_out(context& ctx);

  // money (table_money.cpp)
  void ask_for_stakes(std::uint32_t seats, context& ctx);
  void stake_answered(std::uint8_t seat, const answer& what, context& ctx);
  void begin_void(std::string_view reason, std::uint32_t who, context& ctx);
  void write_void(const std::vector<storage::transfer>& refunds, context& ctx);
  void hint_wallets(const std::vector<storage::balance>& balances, context& ctx) const;

  static void refuse(context& ctx, const reply_to& to, std::string_view code,
                     std::string_view sentence);
  void misbehave(int how, context& ctx);

  entity_id id_;
  const table_options* options_;
  table_state state_;
  std::unique_ptr<flight> flight_;
  std::unique_ptr<gathering> gathering_;
  std::unique_ptr<buying> buying_;
  std::vector<public_event> recent_;  // ascending, dense
  std::size_t recent_bytes_ = 0;
  std::vector<poison> poisoned_;  // commands whose decide or consequences threw
  bool goes_on_ = false;    // nobody noticed the end of the last life: the clock stays as it is
  millis grace_until_ = 0;  // after a restart no phase ends before
  millis timer_at_ = 0;     // 0: none set
  // Which turn clock the players know, and whether they heard of it in time (rule C).
  millis clock_ = 0, clock_set_at_ = 0;
  bool clock_held_ = false;
};

}  // namespace baraza::actors
