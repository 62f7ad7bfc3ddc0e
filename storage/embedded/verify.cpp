// Proves the ledger while it grows. Transfers are read in the order of their commits, so everything
// below a position is final; each range of accounts is read in one snapshot together with the
// transfers that came since, which makes the comparison exact.
#include <map>
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
        stranded_{
            db.handle(),
            // A match that runs has a wake-up row from its first commit to its last.
            "SELECT id,balance FROM account a WHERE kind=2 AND closed=0 AND balance>0"
            " AND EXISTS(SELECT 1 FROM journal WHERE entity=CAST(x'02'||a.owner AS BLOB) AND seq=1)"
            " AND NOT EXISTS(SELECT 1 FROM wake WHERE entity=CAST(x'02'||a.owner AS BLOB)) LIMIT "
            "1"} {}

  verify_report run() {
    try {
      check_journal();
      bool more = true;
      while (more) {
        transaction one_snapshot{db_, access::read};
        more = read_transfers(transfers_chunk);
      }
      check_accounts();
      check_rest();
    } catch (const violated& v) {
      report_.clean = false;
      report_.first_violation = v.what;
    }
    return report_;
  }

 private:
  void check_journal();
  bool read_transfers(std::uint32_t limit);
  void check_accounts();
  void check_account(const statement& row);
  void check_rest();
  tally& side(const uuid& account, currency money, const uuid& id);

  connection& db_;
  statement journal_, transfers_, accounts_, account_, stranded_;
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

tally& verifier::side(const uuid& account, currency money, const uuid& id) {
  auto [at, fresh] = tallies_.try_emplace(account);
  if (fresh) at->second.money = money;
  if (at->second.money != money)
    throw violated{"transfer " + id.to_string() + " brings a second currency to account " +
                   account.to_string()};
  return at->second;
}

/// Takes in transfers after position_. @returns whether there may be more
bool verifier::read_transfers(std::uint32_t limit) {
  reading use{transfers_};
  transfers_.run(position_, limit);
  std::uint32_t rows = 0;
  for (; transfers_.step(); ++rows) {
    if (transfers_.number(0) != ++position_)
      throw violated{"the transfer at position " + std::to_string(position_) + " is missing"};
    const auto id = transfers_.key(1);
    const auto amount = transfers_.integer(4);
    const auto money = static_cast<currency>(transfers_.integer(5));
    if (amount <= 0) throw violated{"transfer " + id.to_string() + " moves nothing"};
    auto& debit = side(transfers_.key(2), money, id);
    debit.sum -= amount;
    if (static_cast<transfer_kind>(transfers_.integer(6)) == transfer_kind::payout) {
      const auto seq = transfers_.number(7);
      if (debit.payout_seq == 0) debit.payout_seq = seq;
      if (debit.payout_seq != seq) debit.twice = id;
    }
    side(transfers_.key(3), money, id).sum += amount;
    ++report_.transfers;
  }
  return rows == limit;
}

void verifier::check_accounts() {
  std::string last;  // every id is above the empty one
  for (std::uint32_t rows = accounts_chunk; rows == accounts_chunk;) {
    transaction one_snapshot{db_, access::read};
    while (read_transfers(transfers_chunk)) {
    }
    reading use{accounts_};
    const auto cursor = last;
    accounts_.run(std::string_view{cursor}, accounts_chunk);
    for (rows = 0; accounts_.step(); ++rows) {
      last = accounts_.text(0);
      check_account(accounts_);
    }
  }
}

void verifier::check_account(const statement& row) {
  ++report_.accounts;
  const auto id = row.key(0);
  const auto amount = row.integer(1);
  const auto kind = static_cast<account_kind>(row.integer(2));
  const auto money = static_cast<currency>(row.integer(3));
  const auto name = "account " + id.to_string();
  const auto at = tallies_.find(id);
  const wide sum = at == tallies_.end() ? 0 : at->second.sum;
  if (sum != amount)
    throw violated{name + " holds " + std::to_string(amount) + ", but its transfers make " +
                   std::to_string(static_cast<std::int64_t>(sum))};
  if (has_floor(kind) && amount < 0)
    throw violated{name + " is below zero: " + std::to_string(amount)};
  if (row.integer(4) != 0 && amount != 0)
    throw violated{name + " is closed and holds " + std::to_string(amount)};
  if (at == tallies_.end()) return;
  at->second.seen = true;
  if (at->second.money != money) throw violated{name + " has transfers of another currency"};
  if (kind == account_kind::escrow && !at->second.twice.is_nil())
    throw violated{"the match of escrow " + id.to_string() + " was settled twice: transfer " +
                   at->second.twice.to_string()};
}

/// Accounts that were opened behind the cursor, and the sum over everything.
void verifier::check_rest() {
  transaction one_snapshot{db_, access::read};
  while (read_transfers(transfers_chunk)) {
  }
  for (auto& [id, t] : tallies_) {
    totals_[t.money] += t.sum;
    if (t.seen) continue;
    reading use{account_};
    if (!account_.run(id).step())
      throw violated{"transfers name account " + id.to_string() + ", which does not exist"};
    check_account(account_);
  }
  reading ended{stranded_};
  if (stranded_.run().step())
    throw violated{"escrow " + stranded_.key(0).to_string() + " of an ended match still holds " +
                   std::to_string(stranded_.integer(1))};
  for (const auto& [money, total] : totals_)
    if (total != 0)
      throw violated{"debits and credits in " + std::string{to_string(money)} + " differ"};
}

}  // namespace

verify_report verify_ledger(connection& db) { return verifier{db}.run(); }

}  // namespace baraza::storage::embedded
