// Proves the ledger while it grows. Transfers are read in the order of their commits, so everything
// below a position is final; each range of accounts is read in one snapshot together with the
// transfers that came since, which makes the comparison exact. Each snapshot reads tables and log
// as they are in the file: what the log says wins, as for every reader.
#include <map>
#include <optional>
#include <unordered_map>

#include "storage/embedded/shared.hpp"

namespace baraza::storage::embedded {
namespace {

// Rows in one snapshot: some ten milliseconds each, far under the 2 s of rule A11.
constexpr std::uint32_t transfers_chunk = 20'000;
constexpr std::uint32_t journal_chunk = 20'000;
constexpr std::uint32_t accounts_chunk = 10'000;

struct violated {
  std::string what;
};

struct tally {
  wide sum = 0;                  // credits − debits
  std::uint64_t payout_seq = 0;  // commit of the payouts out of this account; 0: none yet
  uuid twice;                    // a payout from a second commit
  currency money{};              // of its transfers
  bool seen = false;             // its row was compared
};

class verifier {
 public:
  explicit verifier(connection& db)
      : db_{db},
        journal_{
            db.handle(),
            "SELECT entity,seq FROM journal WHERE (entity,seq)>(?,?) ORDER BY entity,seq LIMIT ?"},
        transfers_{db.handle(),
                   "SELECT position,id,debit,credit,amount,currency,kind,entity_seq FROM transfer"
                   " WHERE position>? ORDER BY position LIMIT ?"},
        accounts_{
            db.handle(),
            "SELECT id,balance,kind,currency,closed FROM account WHERE id>? ORDER BY id LIMIT ?"},
        account_{db.handle(), "SELECT id,balance,kind,currency,closed FROM account WHERE id=?"},
        head_{db.handle(), "SELECT seq FROM journal WHERE entity=? ORDER BY seq DESC LIMIT 1"},
        escrows_{db.handle(),
                 "SELECT id,balance,owner FROM account WHERE kind=2 AND closed=0 AND balance>0"},
        wake_{db.handle(), "SELECT 1 FROM wake WHERE entity=?"} {}

  verify_report run() {
    try {
      check_journal();
      bool more = true;
      while (more) {
        begin_snapshot();
        more = read_transfers(transfers_chunk);
        snapshot_.reset();
      }
      check_accounts();
      check_rest();
    } catch (const violated& v) {
      snapshot_.reset();
      report_.clean = false;
      report_.first_violation = v.what;
    }
    return report_;
  }

 private:
  void begin_snapshot() {
    snapshot_.emplace(db_, access::read);
    catch_up(db_, log_);
  }
  void check_journal();
  void check_logged_journal();
  bool read_transfers(std::uint32_t limit);
  void check_accounts();
  void check_account(const account_id& id, const account_state& row);
  static account_state stored(const statement& row);
  void check_rest();
  void check_escrows();
  void check_escrow(const account_id& id, const uuid& match, std::int64_t amount);
  void take_in(const transfer& t, std::uint64_t position, std::uint64_t entity_seq);
  std::uint64_t table_head(const entity_id& entity);
  tally& side(const uuid& account, currency money, const uuid& id);

  connection& db_;
  overlay log_;  // of the snapshot under way
  std::optional<transaction> snapshot_;
  statement journal_, transfers_, accounts_, account_, head_, escrows_, wake_;
  verify_report report_;
  std::unordered_map<uuid, tally> tallies_;
  std::map<currency, wide> totals_;
  std::uint64_t position_ = 0;
};

/// Each entity's seqs run 1, 2, 3, … without a gap.
void verifier::check_journal() {
  std::string entity;
  std::uint64_t seq = 0;
  for (std::uint32_t rows = journal_chunk; rows == journal_chunk;) {
    reading use{journal_};
    const auto cursor = entity;  // a bound value must stay as it is while rows are read
    journal_.run(std::string_view{cursor}, seq, journal_chunk);
    for (rows = 0; journal_.step(); ++rows) {
      const auto key = journal_.bytes(0);
      if (key != entity) {
        entity = key;
        seq = 0;
        if (entity_key::parse(key).kind == entity_kind::table) ++report_.matches;
      }
      if (journal_.number(1) != ++seq)
        throw violated{"the journal of " + entity_key::parse(key).to_string() + " lacks seq " +
                       std::to_string(seq)};
      ++report_.journal_events;
    }
  }
}

std::uint64_t verifier::table_head(const entity_id& entity) {
  const entity_key key{entity};
  reading use{head_};
  return head_.run(std::string_view{key}).step() ? head_.number(0) : 0;
}

/// What the log holds of each entity goes on where the table ends. (It may begin before: the merge
/// is under way.)
void verifier::check_logged_journal() {
  for (const auto& [entity, chain] : log_.current().entities()) {
    const auto stored = table_head(entity);
    if (chain.first_seq > stored + 1)
      throw violated{"the journal of " + entity.to_string() + " lacks seq " +
                     std::to_string(stored + 1)};
    if (stored == 0 && entity.kind == entity_kind::table) ++report_.matches;
    if (chain.head > stored) report_.journal_events += chain.head - stored;
  }
}

tally& verifier::side(const uuid& account, currency money, const uuid& id) {
  auto [at, fresh] = tallies_.try_emplace(account);
  if (fresh) at->second.money = money;
  if (at->second.money != money)
    throw violated{"transfer " + id.to_string() + " brings a second currency to account " +
                   account.to_string()};
  return at->second;
}

void verifier::take_in(const transfer& t, std::uint64_t position, std::uint64_t entity_seq) {
  if (position != ++position_)
    throw violated{"the transfer at position " + std::to_string(position_) + " is missing"};
  if (t.amount <= 0) throw violated{"transfer " + t.id.to_string() + " moves nothing"};
  auto& debit = side(t.debit, t.money, t.id);
  debit.sum -= t.amount;
  if (t.kind == transfer_kind::payout) {
    if (debit.payout_seq == 0) debit.payout_seq = entity_seq;
    if (debit.payout_seq != entity_seq) debit.twice = t.id;
  }
  side(t.credit, t.money, t.id).sum += t.amount;
  ++report_.transfers;
}

/// Takes in transfers after position_: of the table, and when that is at its end, of the log.
/// @returns whether there may be more
bool verifier::read_transfers(std::uint32_t limit) {
  reading use{transfers_};
  transfers_.run(position_, limit);
  std::uint32_t rows = 0;
  for (; transfers_.step(); ++rows) {
    const transfer t{transfers_.key(1),
                     transfers_.key(2),
                     transfers_.key(3),
                     transfers_.integer(4),
                     static_cast<currency>(transfers_.integer(5)),
                     static_cast<transfer_kind>(transfers_.integer(6)),
                     {}};
    take_in(t, transfers_.number(0), transfers_.number(7));
  }
  if (rows == limit) return true;
  for (const auto& row : log_.current().transfers())
    if (row.position > position_) take_in(row.what, row.position, row.entity_seq);
  return false;
}

account_state verifier::stored(const statement& row) {
  account_state state;
  state.amount = row.integer(1);
  state.kind = static_cast<account_kind>(row.integer(2));
  state.money = static_cast<currency>(row.integer(3));
  state.closed = row.integer(4) != 0;
  return state;
}

void verifier::check_accounts() {
  std::string last;  // every id is above the empty one
  for (std::uint32_t rows = accounts_chunk; rows == accounts_chunk;) {
    begin_snapshot();
    while (read_transfers(transfers_chunk)) {
    }
    reading use{accounts_};
    const auto cursor = last;
    accounts_.run(std::string_view{cursor}, accounts_chunk);
    for (rows = 0; accounts_.step(); ++rows) {
      last = accounts_.text(0);
      const auto id = accounts_.key(0);
      const auto* logged = log_.account(id);
      check_account(id, logged != nullptr ? *logged : stored(accounts_));
    }
    accounts_.reset();
    snapshot_.reset();
  }
}

void verifier::check_account(const account_id& id, const account_state& row) {
  ++report_.accounts;
  const auto name = "account " + id.to_string();
  const auto at = tallies_.find(id);
  const wide sum = at == tallies_.end() ? 0 : at->second.sum;
  if (sum != row.amount)
    throw violated{name + " holds " + std::to_string(row.amount) + ", but its transfers make " +
                   std::to_string(static_cast<std::int64_t>(sum))};
  if (has_floor(row.kind) && row.amount < 0)
    throw violated{name + " is below zero: " + std::to_string(row.amount)};
  if (row.closed && row.amount != 0)
    throw violated{name + " is closed and holds " + std::to_string(row.amount)};
  if (at == tallies_.end()) return;
  at->second.seen = true;
  if (at->second.money != row.money) throw violated{name + " has transfers of another currency"};
  if (row.kind == account_kind::escrow && !at->second.twice.is_nil())
    throw violated{"the match of escrow " + id.to_string() + " was settled twice: transfer " +
                   at->second.twice.to_string()};
}

/// Accounts that are in the log alone or were opened behind the cursor, and the sum over
/// everything.
void verifier::check_rest() {
  begin_snapshot();
  while (read_transfers(transfers_chunk)) {
  }
  check_logged_journal();
  for (auto& [id, t] : tallies_) {
    totals_[t.money] += t.sum;
    if (t.seen) continue;
    reading use{account_};
    if (const auto* logged = log_.account(id))
      check_account(id, *logged);
    else if (account_.run(id).step())
      check_account(id, stored(account_));
    else
      throw violated{"transfers name account " + id.to_string() + ", which does not exist"};
  }
  for (const auto& [id, row] : log_.current().accounts()) {
    if (!row.known || tallies_.contains(id)) continue;  // the tallied ones were seen above
    reading use{account_};
    if (!account_.run(id).step()) check_account(id, row.state);
  }
  check_escrows();
  snapshot_.reset();
  for (const auto& [money, total] : totals_)
    if (total != 0)
      throw violated{"debits and credits in " + std::string{to_string(money)} + " differ"};
}

void verifier::check_escrows() {
  for (const auto& [id, row] : log_.current().accounts()) {
    const auto& a = row.state;
    if (row.known && a.kind == account_kind::escrow && !a.closed && a.amount > 0)
      check_escrow(id, a.owner, a.amount);
  }
  reading use{escrows_};
  escrows_.run();
  while (escrows_.step())
    if (const auto id = escrows_.key(0); log_.account(id) == nullptr)
      check_escrow(id, escrows_.key(2), escrows_.integer(1));
}

/// A match that runs has a wake-up row from its first commit to its last.
void verifier::check_escrow(const account_id& id, const uuid& match, std::int64_t amount) {
  const entity_id table{entity_kind::table, match};
  const entity_key key{table};
  reading use{wake_};
  if (wake_.run(std::string_view{key}).step()) return;
  if (table_head(table) == 0 && !log_.seqs(table)) return;  // nobody has played it
  throw violated{"escrow " + id.to_string() + " of an ended match still holds " +
                 std::to_string(amount)};
}

}  // namespace

verify_report verify_ledger(connection& db) { return verifier{db}.run(); }

}  // namespace baraza::storage::embedded
