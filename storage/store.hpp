// The store as the rest of the system sees it: commits by batch, reads for activation, the node's
// fence, wake-ups, verification. Two implementations (postgres/, embedded/) pass one conformance
// suite. Calls block: run them on threads of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::storage {

// ---- errors

/// What went wrong, in the four classes of rule A5 and for reads.
enum class errc : std::uint8_t {
  none,
  // member: this commit alone is refused; the others of its batch succeed
  seq_conflict,     // the journal already holds expected_seq + 1, written by another batch, or the
                    // head is elsewhere
  overdraft,        // an account with a floor would fall below zero
  account_unknown,  // a transfer names an account that does not exist
  account_closed,   // a transfer names a closed account
  account_not_empty,  // a close found a balance other than zero
  transfer_conflict,  // the transfer id exists with other content
  currency_mismatch,  // debit, credit and transfer are not of one currency
  no_partition,       // the id's time lies outside the attached partitions
  stale_epoch,        // the shard row shows another owner or epoch
  // node: this incarnation is fenced off; it must stop
  fenced,
  rolled_back,  // the store has forgotten what it acknowledged to this process, or is another one:
                // it must stop, and nobody may go on there (rule A8)
  // store
  unavailable,  // refused before anything was applied (connection, disk full, shutting down): hold
                // and retry
  unknown,      // the connection was lost after sending: applied or not; resolve() tells (rule A4)
  // reads and set-up
  not_found,
  exists,
  corrupt,
  incompatible,  // schema or settings do not fit this binary; the message says what to run
  invalid,
};
std::string_view to_string(errc code);

struct error {
  errc code = errc::none;
  std::string message;  // one sentence for logs; never holds secrets
};

/// A value or an error; check before use.
template <class T>
class result {
 public:
  result(T value) : content_{std::move(value)} {}
  result(error why) : content_{std::move(why)} {}
  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  [[nodiscard]] const storage::error& why() const { return std::get<1>(content_); }

 private:
  std::variant<T, storage::error> content_;
};
struct done {};
using status = result<done>;

// ---- money

enum class currency : std::uint16_t {
  demo = 1,
  kes = 2
};                                       // stored by number; amounts in minor units (1/100)
std::string_view to_string(currency c);  // "DEMO", "KES"
std::optional<currency> parse_currency(std::string_view text);

enum class account_kind : std::uint8_t {
  player = 1,
  escrow = 2,
  prize = 3,
  rake = 4,
  float_ = 5,
  suspense = 6,
  bonus = 7,
  tax = 8
};
/// Player, escrow and prize accounts never fall below zero; system accounts have no floor (rule
/// A7).
constexpr bool has_floor(account_kind k) { return k <= account_kind::prize; }

/// Stored by number; append only. Only the kinds for which credits_player() holds enter the index
/// that player history reads.
enum class transfer_kind : std::uint8_t {
  buy_in = 1,
  payout = 2,
  rake = 3,
  refund = 4,
  grant = 5,
  deposit = 6,
  withdrawal = 7,
  sweep = 8,
  opening = 9
};
constexpr bool credits_player(transfer_kind k) {
  return k == transfer_kind::payout || k == transfer_kind::refund || k == transfer_kind::grant ||
         k == transfer_kind::deposit;
}
std::string_view to_string(transfer_kind k);

/// Account ids are derived: see account_of and system_slot below.
using account_id = uuid;

struct account_open {
  account_id id;
  account_kind kind{};
  currency money = currency::demo;
  uuid owner;  // player key, match id, tournament id; nil for system accounts
};

/// Moves `amount` (> 0, minor units) from debit to credit. `id` is UUIDv7 or a derived UUIDv8 (rule
/// A1).
struct transfer {
  uuid id;
  account_id debit, credit;
  std::int64_t amount = 0;
  currency money = currency::demo;
  transfer_kind kind{};
  uuid reference;  // the match, payment or grant it belongs to
  bool operator==(const transfer&) const = default;
};

struct balance {
  account_id account;
  std::int64_t amount = 0;    // minor units
  std::uint64_t version = 0;  // grows with each change of the row: the highest seen is the newest
  bool closed = false;
};

/// A player's account in one currency: UUIDv8-like, derived from the random player key, stable for
/// ever.
account_id player_account(const uuid& player, currency money);
account_id escrow_account(const uuid& match, currency money);
inline constexpr std::uint32_t system_slots =
    16;  // K of rule A7: more slots than writers of any cluster we foresee contending
/// Slot account `slot` (0 … system_slots-1) of a system kind; created by the migrations for every
/// currency.
account_id system_account(account_kind kind, currency money, std::uint32_t slot);

/// Which slot of each system kind a writer connection of a node uses: neighbours differ, so that no
/// two lanes of one node meet on a row (rule A7).
struct slot_choice {
  std::uint64_t incarnation = 0;
  std::uint16_t writers = 1;
  [[nodiscard]] std::uint32_t of(const entity_id& id) const {
    return static_cast<std::uint32_t>((incarnation * writers + writer_of(id, writers)) %
                                      system_slots);
  }
};

// ---- commits

/// One entity's change. Exactly the whole of it is applied, or nothing.
struct commit {
  entity_id entity;
  shard_id shard = 0;
  std::uint64_t epoch = 0;  // of the shard, as the writer's node holds it
  std::uint64_t expected_seq =
      0;  // head before this commit; the first event becomes expected_seq + 1
  std::vector<std::string> events;  // at least one (rule A4); opaque bytes
  std::vector<account_open>
      opens;  // applied before transfers; opening an existing equal account changes nothing
  std::vector<transfer> transfers;
  std::vector<account_id>
      closes;  // applied after transfers; refused unless the balance is then zero
  std::optional<std::string> snapshot;  // of the state after the last event
  enum class wake_change : std::uint8_t { keep, set, clear } wake = wake_change::keep;
  millis wake_at = 0;
};

/// Names a batch for ever: (node incarnation, writer connection, counter). Journal rows carry it,
/// so that a retry finds its own.
struct batch_id {
  std::uint64_t incarnation = 0;
  std::uint16_t writer = 0;
  std::uint64_t number = 0;
  auto operator<=>(const batch_id&) const = default;
};

/// Members are of different entities, and no transfer id or opened account occurs twice (the gate
/// sees to it; invalid otherwise).
struct batch {
  batch_id id;
  std::vector<const commit*> members;  // owned by the caller until the call returns
};

struct member_result {
  errc code = errc::none;  // none: applied (or found applied by this very batch)
  std::string detail;      // for logs; empty when applied
  std::vector<balance>
      balances;  // of the floor accounts (player, escrow, prize) it touched, after the commit
  std::optional<std::int64_t> existing_transfers;  // how many of its transfers already existed with
                                                   // equal content (`exists`)
};

/// code none: every member has its result. fenced / unavailable / unknown: nothing more is known of
/// any member.
struct batch_result {
  errc code = errc::none;
  std::string detail;
  std::vector<member_result> members;
};

/// One direct connection that commits. Not thread-safe: one thread owns it.
class writer {
 public:
  virtual ~writer() = default;
  /// One statement, one message, one transaction (rule A2); members that cannot be applied are
  /// returned alone and the rest goes again at once. A repeated transfer id with equal content
  /// moves no money again and is no error.
  virtual batch_result apply(const batch& work) = 0;
  /// After `unknown`: reconnects, locks the fence row (waits for the old backend), looks for the
  /// batch id, and says which members are applied (code none) and which are not there (code
  /// unavailable: submit again under a new number). Rule A4.
  virtual batch_result resolve(const batch& work) = 0;
};

// ---- nodes

struct node_registration {
  std::string name;  // unique among live nodes
  std::string address;
  std::string roles;
  std::uint16_t writers = 2;  // fence rows to open
  std::uint32_t shards = 1024;
  std::uint16_t level = 1;  // of the binary: PostgreSQL refuses one below its cluster's (rule A9)
};
struct node_grant {
  uuid node;
  std::uint64_t incarnation = 0;
  std::uint64_t epoch = 0;        // of every shard, taken over by this single node
  millis store_time = 0;          // the store's now()
  bool predecessor_died = false;  // an incarnation before this one did not close its fence rows
};

// ---- reads

struct journal_event {
  std::uint64_t seq = 0;
  millis at = 0;
  std::string payload;
};
struct activation {  // what it takes to bring an entity back
  entity_id entity;
  std::uint64_t head = 0;  // 0: nothing was ever committed
  std::optional<std::string> snapshot;
  std::uint64_t snapshot_seq = 0;
  std::vector<journal_event> events;  // after the snapshot, dense, ascending
  std::uint32_t attempts = 0;         // see strike
};
struct wake_row {
  entity_id entity;
  millis at = 0;
  std::uint32_t attempts = 0;  // see strike
};
/// Why an entity may have ended its process (rule D3). Its `attempts` are the sum of both.
enum class strike : std::uint8_t {
  load,  // it was being loaded; forgotten once it stands
  // It held its thread too long, or its code ended the process. Forgotten once it has got on for a
  // while (strikes_kept), or on an operator's word.
  hold
};
struct history_row {
  transfer what;
  millis at = 0;
  bool credit = false;  // true: it came in
};
/// The incident of a store that was found to have forgotten what it acknowledged (rule A8). While
/// one is there, nobody joins; allow_loss makes it the accepted one.
inline constexpr std::string_view incident_rolled_back = "store_rolled_back",
                                  incident_loss_accepted = "store_loss_accepted";
struct incident {
  uuid id;
  millis at = 0;
  entity_id entity;
  std::string kind;  // "quarantine", "void"; of operators: "retry_ordered", "void_ordered"
  std::string detail;
};

/// Session-free reads, safe through a transaction pooler. Not thread-safe: one thread owns it.
class reader {
 public:
  virtual ~reader() = default;
  /// Reads head, snapshot and journal tail of several entities in one round trip; answers in the
  /// order asked.
  virtual result<std::vector<activation>> activate(std::span<const entity_id> entities) = 0;
  /// Events with seq > after, ascending, at most `limit` (≤ 10,000).
  virtual result<std::vector<journal_event>> events(const entity_id& entity, std::uint64_t after,
                                                    std::uint32_t limit) = 0;
  virtual result<std::vector<balance>> balances(
      std::span<const account_id> accounts) = 0;  // unknown accounts are left out
  virtual result<std::vector<transfer>> transfers(
      std::span<const uuid> ids) = 0;  // unknown ids are left out
  /// All transfers of one match into or out of an account: those with this reference whose ids are
  /// derived from it (uuid::v8), which every transfer of an escrow is.
  virtual result<std::vector<transfer>> transfers_of(const account_id& account,
                                                     const uuid& reference) = 0;
  /// Newest first; strictly older than `before` if given; at most `limit` (≤ 200).
  virtual result<std::vector<history_row>> history(const uuid& player, currency money,
                                                   std::optional<uuid> before,
                                                   std::uint32_t limit) = 0;
  /// Wake rows of these shards due at or before `until`, earliest first, at most `limit` (≤
  /// 10,000), strictly behind `after` if given: a row that was answered before, so that all can be
  /// read in pages.
  virtual result<std::vector<wake_row>> wakes(std::uint32_t shard_first, std::uint32_t shard_last,
                                              millis until, std::uint32_t limit,
                                              const wake_row* after = nullptr) = 0;
  /// Newest first, at most `limit` (≤ 10,000); those behind `before` if given, of which `at` and
  /// `id` count.
  virtual result<std::vector<incident>> incidents(std::uint32_t limit,
                                                  const incident* before = nullptr) = 0;
  /// The store's now(), and a proof that it answers.
  virtual result<millis> now() = 0;
};

struct verify_report {
  bool clean = true;
  std::string first_violation;  // empty when clean
  std::uint64_t accounts = 0, transfers = 0, journal_events = 0, matches = 0;
};

struct migration_state {
  int schema = 0;        // version the store has; 0: empty
  int oldest_level = 0;  // the oldest binary level that may use it
  int newest = 0;        // the newest this binary knows
};

/// A store opened by URL: `sqlite:PATH` or `postgresql://…`.
class store {
 public:
  virtual ~store() = default;
  virtual result<std::unique_ptr<writer>> open_writer(const node_grant& node,
                                                      std::uint16_t index) = 0;
  virtual result<std::unique_ptr<reader>> open_reader() = 0;
  virtual std::unique_ptr<class identity_store> open_identity() = 0;
  /// What several nodes need (storage/membership.hpp). Error invalid: this store serves one node.
  virtual result<std::unique_ptr<class membership_store>> open_membership() = 0;

  /// Registers this process as an incarnation, opens its fence rows, takes every shard (single
  /// node). On PostgreSQL the previous incarnations of the same name are fenced off first; the
  /// embedded store holds an exclusive lock on its folder instead.
  virtual result<node_grant> join(const node_registration& node) = 0;
  /// Says which cluster key this process seals and opens server seeds with; the first to say so
  /// fixes it. incompatible: the store's matches were sealed with another one.
  /// @param fingerprint 1 to 64 visible characters; tells nothing of the key
  virtual status claim_key(std::string_view fingerprint) = 0;
  /// Closes the fence rows: waits for commits in flight, fails all later ones.
  virtual status fence(std::uint64_t incarnation) = 0;
  virtual status record_incident(const incident& what) = 0;
  /// One more strike for each of these, so that one that ends the process again and again is known
  /// by it (rule D3), whatever it commits meanwhile. At most 10,000.
  virtual status count_attempt(std::span<const entity_id> entities, strike what) = 0;
  /// Takes back the strikes of one sort, or with `strike::hold` those of both. At most 10,000.
  virtual status forget_attempts(std::span<const entity_id> entities, strike up_to) = 0;
  /// Attaches partitions two periods ahead (no-op on the embedded store). Called at start and
  /// daily.
  virtual status maintain(millis now) = 0;

  virtual result<migration_state> migrations() = 0;
  virtual status migrate(int target) = 0;  // up or down to `target`, each step one transaction
  /// Proves the ledger (design §6). Reads in short snapshots (rule A11); runs beside a serving
  /// node.
  virtual result<verify_report> verify() = 0;
};

/// What a binary of this build expects of the store (rule A9).
inline constexpr int schema_newest = 2;

struct open_options {
  bool read_only = false;   // `ledger verify`, `replay`: no lock, no writes
  bool allow_loss = false;  // accept an asynchronous standby or synchronous_commit=off
  // Embedded store: bytes of its commit log that are merged at a time; 0: the built-in figure.
  // Small ones let tests see a merge.
  std::size_t merge_at_bytes = 0;
};
/// Opens without touching the schema. Errors: invalid URL, unavailable, incompatible.
result<std::unique_ptr<store>> open(std::string_view url, const open_options& options = {});

}  // namespace baraza::storage
