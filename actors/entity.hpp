// The cut between deciding and doing: an entity is a plain class fed with requests, answers, time
// and commit results; its context carries out what it decides. The cluster runs it inside an actor;
// tests and the simulator run it on virtual time.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/messages.hpp"
#include "storage/store.hpp"

namespace baraza::actors {

/// A command whose consequences throw although it was accepted: it is at fault, not the match (rule
/// D3). Named by its seat and its counter.
struct poison {
  std::uint8_t seat = 0;
  std::uint64_t command = 0;
  bool operator==(const poison&) const = default;
};
/// Ends the actor, but costs it nothing: its next life is told and refuses the command.
class poisoned final : public std::runtime_error {
 public:
  poisoned(poison which, const std::string& why) : std::runtime_error{why}, which_{which} {}
  [[nodiscard]] poison which() const { return which_; }

 private:
  poison which_;
};

/// The change an entity wants. The shell adds entity, shard, epoch and expected seq.
struct change {
  std::vector<std::string> events;
  std::vector<storage::account_open> opens;
  std::vector<storage::transfer> transfers;
  std::vector<storage::account_id> closes;
  std::optional<std::string> snapshot;
  storage::commit::wake_change wake = storage::commit::wake_change::keep;
  millis wake_at = 0;
  /// Whether an entity that keeps failing has got on with this, so that its failures are forgiven.
  /// Not so for what every life of it commits.
  bool is_progress = true;
};

/// Adds what joins a commit (entity::join) to it; `to` is a change or a storage::commit.
template <class Commit>
void add_to(Commit& to, change&& more) {
  const auto append = [](auto& list, auto&& others) {
    list.insert(list.end(), std::make_move_iterator(others.begin()),
                std::make_move_iterator(others.end()));
  };
  append(to.events, more.events);
  append(to.opens, more.opens);
  append(to.transfers, more.transfers);
  append(to.closes, more.closes);
  to.snapshot = std::move(more.snapshot);  // an earlier one is not of the commit's end
  if (more.wake == storage::commit::wake_change::keep) return;
  to.wake = more.wake;
  to.wake_at = more.wake_at;
}

class context {
 public:
  virtual ~context() = default;
  /// Cluster time, milliseconds; never goes back within one entity.
  [[nodiscard]] virtual millis now() const = 0;
  [[nodiscard]] virtual std::uint64_t head() const = 0;   // seq of the last durable event
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;  // of the shard
  /// Cluster time since when players can reach this entity and it its store without a pause of more
  /// than a second; 0: always. No turn clock that was set earlier may end anything (rule C).
  [[nodiscard]] virtual millis reachable_since() const = 0;
  /// At most one commit in flight; while it is, the shell keeps further requests back (bounded).
  /// Ends in entity::committed or, if this owner is stale, in the actor's end.
  virtual void commit(change what) = 0;
  /// Answers once; an answer to nobody is dropped. Only what is already durable may be told.
  virtual void reply(const reply_to& to, answer what) = 0;
  /// Asks until answered or `deadline` passes, with the same request each time (so it must be
  /// idempotent); ends in entity::answered, a passed deadline as refused{"timeout"}: unknown, never
  /// failed.
  virtual void ask(const entity_id& to, request what, std::uint64_t correlation,
                   millis deadline) = 0;
  virtual void tell(const entity_id& to, request what) = 0;  // may be lost
  /// Sends to every edge that watches (table_events) or holds sessions of the player (player_push).
  virtual void push(actors::push what) = 0;
  virtual void push_to(std::uint32_t edge, actors::push what) = 0;
  /// Calls entity::timer at `at` or later; only the earliest set one counts. 0: none.
  virtual void set_timer(millis at) = 0;
  /// Reads rows from the primary; ends in entity::balances_read (unknown accounts are left out).
  virtual void read_balances(std::vector<storage::account_id> accounts,
                             std::uint64_t correlation) = 0;
  /// All transfers into and out of an account of one match; ends in entity::transfers_read.
  virtual void read_transfers(const storage::account_id& account, const uuid& reference,
                              std::uint64_t correlation) = 0;
  /// Lets the shell passivate this entity when it has been idle; false while it holds volatile
  /// state worth keeping.
  virtual void set_idle(bool idle) = 0;
};

/// All calls come one at a time. An exception ends the actor; the supervisor activates a new one
/// from the journal.
class entity {
 public:
  virtual ~entity() = default;
  /// Replay: snapshot first (if any), then each event. Throws games::cannot_fold when the bytes
  /// cannot be understood.
  virtual void restore(std::string_view snapshot) = 0;
  virtual void fold(std::uint64_t seq, millis at, std::string_view event) = 0;
  /// What earlier lives in this process threw `poisoned` for, oldest first, bounded by the caller.
  /// `just_now`: this life takes over from one that did, without a pause that anybody could notice.
  virtual void recall(const std::vector<poison>& known, bool just_now) {
    (void)known, (void)just_now;
  }
  /// Replay is over (head() tells how far); `fresh`: nothing was ever journalled.
  virtual void activated(context& ctx, bool fresh) = 0;
  virtual void handle(const request& what, const reply_to& from, context& ctx) = 0;
  /// A request that comes while a commit waits and nothing of it has left yet. What it adds to that
  /// commit, which is durable or refused with it; nothing: nothing has changed, and the request is
  /// handled when the commit has ended. So it answers nobody, least of all with a refusal: that
  /// would tell of what is not durable.
  virtual std::optional<change> join(const request&, const reply_to&, context&) {
    return std::nullopt;
  }
  /// The commit asked for is durable, or refused (code says why: overdraft, account_closed,
  /// transfer_conflict …; never unknown).
  virtual void committed(const storage::member_result& result, context& ctx) = 0;
  virtual void answered(std::uint64_t correlation, const answer& what, context& ctx) = 0;
  virtual void timer(context& ctx) = 0;
  virtual void balances_read(std::uint64_t, const std::vector<storage::balance>&, context&) {}
  virtual void transfers_read(std::uint64_t, const std::vector<storage::transfer>&, context&) {}
};

/// Why an entity that cannot be folded can still be ended without running its code (rule D2).
struct void_plan {
  change what;
  std::vector<uuid> credited;  // players whose wallets hear of their new balance
  storage::currency money = storage::currency::demo;
};

}  // namespace baraza::actors
