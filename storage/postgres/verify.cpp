// Proves the ledger beside a serving node. No snapshot lasts longer than verify_snapshot_ms:
// accounts are read first, then all transfers page by page, then the accounts' versions again. An
// account whose version stayed the same must hold exactly the sum of its transfers. Those that
// changed meanwhile (the hot ones) are compared in one snapshot each group: what is older than any
// statement still running was summed page by page already and cannot change, so that snapshot adds
// only the youngest rows.
#include "storage/postgres/verify.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "storage/postgres/connect.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/limits.hpp"
#include "storage/postgres/schema.hpp"

namespace baraza::storage::postgres {
namespace {

__extension__ using wide = __int128;  // sums of 64-bit amounts cannot overflow it

constexpr int accounts_page = 20'000, transfers_page = 50'000, journal_page = 100'000,
              hot_page = 1'000;
constexpr std::size_t accounts_most =
    20'000'000;  // about 2 GB here; more needs a machine of its own anyway
constexpr int settle_ms =
    3 * statement_timeout_ms;  // older transfers are committed or gone: no statement lives longer

struct violated {
  std::string what;
};

struct tally {
  std::int64_t balance = 0;
  std::uint64_t version = 0;
  wide sum = 0;      // of every transfer the pages showed
  wide settled = 0;  // of those older than the cut
  millis paid_at = 0;
  account_kind kind{};
  currency money{};
  bool closed = false, proved = false;
};

class verifier {
 public:
  explicit verifier(const std::string& url)
      : db_{url, "baraza-verify", std::chrono::milliseconds{verify_snapshot_ms}} {}

  result<verify_report> run() {
    if (auto state = db_.repeatable([](pqxx::connection& c) { return read_schema(c); }); !state)
      return state.why();
    else if (auto why = schema_fault(*state); why.code != errc::none)
      return why;
    try {
      for (const auto part :
           {&verifier::read_accounts, &verifier::read_transfers, &verifier::compare_still,
            &verifier::compare_hot, &verifier::check_journals})
        if (auto done = (this->*part)(); !done) return done.why();
    } catch (const violated& found) {
      report_.clean = false;
      report_.first_violation = found.what;
    }
    return report_;
  }

 private:
  status read_accounts();
  status read_transfers();
  void take(const pqxx::row& row);
  status compare_still();
  status compare_hot();
  status check_journals();
  tally& side(const uuid& account, currency money, const uuid& transfer);

  /// Rows of one short snapshot.
  result<pqxx::result> page(const std::string& sql, const pqxx::params& parameters) {
    return db_.repeatable([&](pqxx::connection& connection) {
      pqxx::nontransaction work{connection};
      return work.exec(sql, parameters);
    });
  }

  database db_;
  verify_report report_;
  std::unordered_map<uuid, tally> accounts_;
  std::unordered_set<uuid> newcomers_;  // accounts opened after read_accounts: their first
                                        // transfers are not ours to judge
  millis cut_ = 0;
};

std::string nil() { return uuid{}.to_string(); }

status verifier::read_accounts() {
  auto clock = page("select (extract(epoch from clock_timestamp()) * 1000)::bigint", {});
  if (!clock) return clock.why();
  cut_ = (*clock)[0][0].as<millis>() - settle_ms;
  for (auto last = nil();;) {
    auto rows = page(
        // A match that runs has a wake-up row from its first commit to its last.
        "select id, balance, version, kind, currency, closed, "
        "kind = 2 and not closed and balance > 0 "
        "and exists (select from journal j where j.kind = 2 and j.entity = a.owner and j.seq = 1) "
        "and not exists (select from wake w where w.kind = 2 and w.entity = a.owner) "
        "from account a where id > $1 order by id limit $2",
        pqxx::params{last, accounts_page});
    if (!rows) return rows.why();
    for (const auto& row : *rows) {
      tally account;
      account.balance = row[1].as<std::int64_t>();
      account.version = row[2].as<std::uint64_t>();
      account.kind = static_cast<account_kind>(row[3].as<int>());
      account.money = static_cast<currency>(row[4].as<int>());
      account.closed = row[5].as<bool>();
      const auto id = as_uuid(row[0]);
      if (has_floor(account.kind) && account.balance < 0)
        throw violated{"account " + id.to_string() +
                       " is below zero: " + std::to_string(account.balance)};
      if (account.closed && account.balance != 0)
        throw violated{"closed account " + id.to_string() + " holds " +
                       std::to_string(account.balance)};
      if (row[6].as<bool>())
        throw violated{"escrow " + id.to_string() + " of an ended match still holds " +
                       std::to_string(account.balance)};
      accounts_.emplace(id, account);
      last = id.to_string();
    }
    if (accounts_.size() > accounts_most)
      return error{errc::invalid, "too many accounts to verify in this process"};
    if (rows->size() < accounts_page) break;
  }
  report_.accounts = accounts_.size();
  return done{};
}

status verifier::read_transfers() {
  for (auto last = nil();;) {
    auto rows = page(
        "select id, debit, credit, amount, currency, kind, at from transfer where id > $1 order by "
        "id limit $2",
        pqxx::params{last, transfers_page});
    if (!rows) return rows.why();
    for (const auto& row : *rows) take(row);
    report_.transfers += static_cast<std::uint64_t>(rows->size());
    if (rows->size() < transfers_page) return done{};
    last = rows->back()[0].as<std::string>();
  }
}

void verifier::take(const pqxx::row& row) {
  const auto id = as_uuid(row[0]);
  const auto amount = row[3].as<std::int64_t>();
  const auto money = static_cast<currency>(row[4].as<int>());
  const auto kind = static_cast<transfer_kind>(row[5].as<int>());
  const auto at = row[6].as<millis>();
  if (amount <= 0) throw violated{"transfer " + id.to_string() + " moves nothing"};
  auto& debit = side(as_uuid(row[1]), money, id);
  debit.sum -= amount;
  if (at < cut_) debit.settled -= amount;
  if (kind == transfer_kind::payout && debit.kind == account_kind::escrow) {
    // All transfers of one commit carry one time. Two settlements of one millisecond would need
    // ids of their own, which payouts, derived from match and seat, do not have.
    if (debit.paid_at != 0 && debit.paid_at != at)
      throw violated{"the match of escrow " + as_uuid(row[1]).to_string() +
                     " was settled twice, by transfer " + id.to_string()};
    debit.paid_at = at;
  }
  auto& credit = side(as_uuid(row[2]), money, id);
  credit.sum += amount;
  if (at < cut_) credit.settled += amount;
}

tally& verifier::side(const uuid& account, currency money, const uuid& transfer) {
  const auto [found, fresh] = accounts_.try_emplace(account);
  if (fresh) {
    newcomers_.insert(account);
    found->second.money = money;
  }
  if (found->second.money != money)
    throw violated{"transfer " + transfer.to_string() + " brings a second currency to account " +
                   account.to_string()};
  return found->second;
}

status verifier::compare_still() {
  for (auto last = nil();;) {
    auto rows = page("select id, version from account where id > $1 order by id limit $2",
                     pqxx::params{last, accounts_page});
    if (!rows) return rows.why();
    for (const auto& row : *rows) {
      const auto id = as_uuid(row[0]);
      last = id.to_string();
      const auto found = accounts_.find(id);
      newcomers_.erase(id);
      if (found == accounts_.end() || found->second.version != row[1].as<std::uint64_t>()) continue;
      if (found->second.sum != found->second.balance)
        throw violated{"account " + last + " holds " + std::to_string(found->second.balance) +
                       ", its transfers sum to " +
                       std::to_string(static_cast<std::int64_t>(found->second.sum))};
      found->second.proved = true;
    }
    if (rows->size() < accounts_page) break;
  }
  if (!newcomers_.empty())
    throw violated{"account " + newcomers_.begin()->to_string() +
                   " has transfers but does not exist"};
  return done{};
}

status verifier::compare_hot() {
  std::vector<uuid> hot;
  for (const auto& [id, account] : accounts_)
    if (!account.proved) hot.push_back(id);
  std::ranges::sort(hot);
  for (std::size_t first = 0; first < hot.size(); first += hot_page) {
    const std::span<const uuid> some{hot.data() + first,
                                     std::min<std::size_t>(hot_page, hot.size() - first)};
    auto rows = page(
        "with h as materialized (select id, balance from account where id = any($1::uuid[])), "
        "y as materialized (select debit, credit, amount from transfer where at >= $2 "
        "and (debit = any($1::uuid[]) or credit = any($1::uuid[]))), "
        "m as (select account, sum(amount) as moved from (select credit as account, amount from y "
        "union all "
        "select debit, -amount from y) s group by account) "
        "select h.id, h.balance, (h.balance - coalesce(m.moved, 0))::bigint from h left join m on "
        "m.account = h.id",
        pqxx::params{array_literal(some, [](const uuid& id) { return id.to_string(); }), cut_});
    if (!rows) return rows.why();
    for (const auto& row : *rows) {
      const auto id = as_uuid(row[0]);
      const auto settled = row[2].as<std::int64_t>();
      if (accounts_[id].settled != settled)
        throw violated{"account " + id.to_string() + " held " + std::to_string(settled) +
                       " from its older transfers, which sum to " +
                       std::to_string(static_cast<std::int64_t>(accounts_[id].settled))};
    }
  }
  return done{};
}

status verifier::check_journals() {
  for (int kind = 1; kind <= static_cast<int>(entity_kind::house); ++kind) {
    auto last = nil();
    std::uint64_t seq = 0;
    for (;;) {
      auto rows = page(
          "select entity, seq from journal where kind = $1 and (entity, seq) > ($2, $3) order by "
          "entity, seq limit $4",
          pqxx::params{kind, last, seq, journal_page});
      if (!rows) return rows.why();
      for (const auto& row : *rows) {
        const auto entity = row[0].view();
        if (entity != last) {
          last = entity;
          seq = 0;
          if (kind == static_cast<int>(entity_kind::table)) ++report_.matches;
        }
        if (row[1].as<std::uint64_t>() != ++seq)
          throw violated{"the journal of " +
                         std::string{to_string(static_cast<entity_kind>(kind))} + "/" + last +
                         " lacks seq " + std::to_string(seq)};
        ++report_.journal_events;
      }
      if (rows->size() < journal_page) break;
    }
  }
  return done{};
}

}  // namespace

result<verify_report> verify_ledger(const std::string& url) { return verifier{url}.run(); }

}  // namespace baraza::storage::postgres
