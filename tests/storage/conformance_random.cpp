// Random batches against a ledger of a few maps. The seed is printed; BARAZA_TEST_SEED=<n> repeats
// a run.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <catch2/catch_test_macros.hpp>

#include "tests/storage/fixture.hpp"

using namespace baraza;
using namespace baraza::storage;
using namespace baraza::tests;

namespace {

constexpr int rounds = 60;
constexpr std::size_t players = 12, batch_size = 10;

struct model {
  std::map<account_id, std::int64_t> balances;
  std::set<account_id> closed;
  std::map<entity_id, std::uint64_t> heads;
  std::map<uuid, transfer> transfers;
};

/// One run: makes batches whose right answer does not depend on the order of the members (the owner
/// of an account is the only one to debit it, and nobody credits it in the batch that tries),
/// predicts every answer, and compares.
class random_run {
 public:
  random_run(world& w, std::uint64_t seed) : w_{w}, random_{seed} {
    for (std::size_t i = 0; i < players; ++i) {
      wallets_.push_back(new_wallet(w_, 500));
      m_.balances[wallets_.back().account] = 500;
      m_.heads[wallets_.back().entity] = 1;
    }
  }

  void round() {
    begin();
    const auto count = 1 + below(batch_size);
    for (std::size_t i = 0; i < count; ++i) add_member();
    std::vector<const commit*> members;
    for (const auto& c : commits_) members.push_back(&c);
    if (members.empty()) return;
    const auto answer = w_.apply(members);
    INFO(answer.detail);
    REQUIRE(answer.code == errc::none);
    REQUIRE(answer.members.size() == members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      INFO("member " << i << " of " << members.size() << ": " << answer.members[i].detail);
      REQUIRE(to_string(answer.members[i].code) == to_string(expected_[i]));
      if (expected_[i] == errc::none) accept(*members[i]);
    }
  }

  void compare() {
    for (const auto& [account, amount] : m_.balances) {
      REQUIRE(w_.balance_of(account).amount == amount);
      REQUIRE(w_.balance_of(account).closed == m_.closed.contains(account));
    }
    for (const auto& [entity, head] : m_.heads) REQUIRE(w_.head_of(entity) == head);
    for (const auto& [id, t] : m_.transfers) {
      const auto found = w_.reader->transfers(std::span{&id, 1});
      REQUIRE(found->size() == 1);
      REQUIRE(found->front() == t);
    }
    w_.require_clean_ledger();
  }

 private:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>{0, n - 1}(random_);
  }

  void begin() {
    commits_.clear();
    commits_.reserve(batch_size);
    expected_.clear();
    used_.clear();
    credited_.clear();
    debited_.clear();
    ids_.clear();
  }

  void push(commit c, errc expected) {
    commits_.push_back(std::move(c));
    expected_.push_back(expected);
  }

  void add_member() {
    switch (below(matches_.empty() ? 2 : 6)) {
      case 0:
        return open_match();
      case 1:
        return conflict();
      case 2:
      case 3:
        return pay_in();
      case 4:
        return settle();
      default:
        return repeat();
    }
  }

  void open_match() {
    const auto id = uuid::v7(wall_clock());
    match made{id, {entity_kind::table, id}, escrow_account(id, currency::demo), 0};
    auto c = w_.commit_of(made.entity, 0, 1 + below(3));
    c.opens.push_back({made.escrow, account_kind::escrow, currency::demo, id});
    c.wake = commit::wake_change::set;
    c.wake_at = wall_clock() + 86'400'000;
    used_.insert(made.entity);
    fresh_.push_back(made);
    push(std::move(c), errc::none);
  }

  void conflict() {
    const auto& who = wallets_[below(players)];
    if (!used_.insert(who.entity).second) return;
    const auto head = m_.heads[who.entity];
    push(w_.commit_of(who.entity, below(2) ? head + 1 : head - 1), errc::seq_conflict);
  }

  void pay_in() {
    const auto& who = wallets_[below(players)];
    const auto& game = matches_[below(matches_.size())];
    if (debited_.contains(game.escrow) || credited_.contains(who.account)) return;
    auto t = buy_in(who, game, 1 + static_cast<std::int64_t>(below(300)));
    t.id = uuid::v8(game.id, std::to_string(++counter_));
    auto expected = errc::none;
    if (t.amount > m_.balances[who.account]) expected = errc::overdraft;
    if (m_.closed.contains(game.escrow)) {
      if (expected != errc::none) return;  // two reasons at once: either may be told
      expected = errc::account_closed;
    }
    if (!used_.insert(who.entity).second) return;
    auto c = w_.commit_of(who.entity, m_.heads[who.entity]);
    c.transfers = {t};
    debited_.insert(who.account);
    credited_.insert(game.escrow);
    ids_.insert(t.id);
    push(std::move(c), expected);
  }

  void settle() {
    const auto& game = matches_[below(matches_.size())];
    const auto& who = wallets_[below(players)];
    if (credited_.contains(game.escrow) || debited_.contains(game.escrow)) return;
    if (debited_.contains(who.account) || m_.closed.contains(game.escrow)) return;
    if (!used_.insert(game.entity).second) return;
    const auto pot = m_.balances[game.escrow];
    auto c = w_.commit_of(game.entity, m_.heads[game.entity]);
    auto expected = errc::none;
    // One in four leaves a cent behind, which must not pass.
    const auto paid = pot > 1 && below(4) == 0 ? pot - 1 : pot;
    if (paid > 0) c.transfers = {payout(game, who, paid)};
    c.closes = {game.escrow};
    if (paid != pot) expected = errc::account_not_empty;
    if (paid > 0) credited_.insert(who.account);
    debited_.insert(game.escrow);
    for (const auto& t : c.transfers) ids_.insert(t.id);
    push(std::move(c), expected);
  }

  void repeat() {
    if (m_.transfers.empty()) return;
    auto at = m_.transfers.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(below(m_.transfers.size())));
    auto t = at->second;
    if (!ids_.insert(t.id).second) return;
    const entity_id other{entity_kind::house, uuid::v4()};
    auto c = w_.commit_of(other, 0);
    const bool same = below(2) == 0;
    if (!same) ++t.amount;
    c.transfers = {t};
    push(std::move(c), same ? errc::none : errc::transfer_conflict);
  }

  void accept(const commit& c) {
    m_.heads[c.entity] = c.expected_seq + c.events.size();
    for (const auto& open : c.opens) m_.balances[open.id] = 0;
    for (const auto& t : c.transfers) {
      if (!m_.transfers.emplace(t.id, t).second) continue;
      m_.balances[t.debit] -= t.amount;
      m_.balances[t.credit] += t.amount;
    }
    for (const auto& id : c.closes) m_.closed.insert(id);
    for (const auto& game : fresh_)
      if (game.entity == c.entity) matches_.push_back(game);
    std::erase_if(fresh_, [&](const match& game) { return game.entity == c.entity; });
  }

  world& w_;
  std::mt19937_64 random_;
  model m_;
  std::vector<wallet> wallets_;
  std::vector<match> matches_, fresh_;
  std::vector<commit> commits_;
  std::vector<errc> expected_;
  std::set<entity_id> used_;
  std::set<account_id> credited_, debited_;
  std::set<uuid> ids_;
  std::uint64_t counter_ = 0;
};

}  // namespace

TEST_CASE("random batches are answered and kept as a ledger of plain maps would", "[conformance]") {
  EACH_STORE(kind);
  const auto seed = test_seed();
  CAPTURE(seed);
  world w{kind};
  random_run run{w, seed};
  for (int n = 0; n < rounds; ++n) run.round();
  run.compare();
}
