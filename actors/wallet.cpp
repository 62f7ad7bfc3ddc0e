#include "actors/wallet.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>

#include "actors/assert.hpp"
#include "actors/limits.hpp"
#include "actors/pack.hpp"

namespace baraza::actors {
namespace {

using namespace pack;

// Journal: arrays [kind, at, …]; kinds are never reused.
enum class event_kind : std::uint8_t { opened = 1, bought_in = 2 };
constexpr std::uint64_t snapshot_version = 1;

struct buy_in {
  uuid transfer, match;
  std::int64_t amount = 0;
  storage::currency money = storage::currency::demo;
  bool operator==(const buy_in&) const = default;
};

buy_in named(const wallet_buy_in& what) {
  return {what.transfer, what.match, what.amount, what.money};
}

void put_buy_in(std::string& out, const buy_in& b) {
  put_id(out, b.transfer);
  put_id(out, b.match);
  put_int(out, b.amount);
  put_uint(out, static_cast<std::uint64_t>(b.money));
}

buy_in read_buy_in(unpacker& in) {
  buy_in b;
  b.transfer = in.id();
  b.match = in.id();
  b.amount = in.integer();
  b.money = static_cast<storage::currency>(in.number32());
  return b;
}

struct account {
  storage::currency money = storage::currency::demo;
  storage::account_id id;
  std::int64_t balance = 0;
  std::uint64_t version = 0;  // of the row as last seen: only a higher one replaces balance
};

/// Reads that stand between a request and its answer.
enum class reading : std::uint64_t { activation = 1, before_refusal = 2 };

class wallet final : public entity {
 public:
  wallet(const entity_id& id, const wallet_options& options) : id_{id}, options_{&options} {}

  void restore(std::string_view snapshot) override;
  void fold(std::uint64_t seq, millis at, std::string_view event) override;
  void activated(context& ctx, bool fresh) override;
  void handle(const request& what, const reply_to& from, context& ctx) override;
  void committed(const storage::member_result& result, context& ctx) override;
  void answered(std::uint64_t, const answer&, context&) override {}
  void timer(context&) override {}
  void balances_read(std::uint64_t correlation, const std::vector<storage::balance>& rows,
                     context& ctx) override;
  void transfers_read(std::uint64_t, const std::vector<storage::transfer>& found,
                      context& ctx) override;

 private:
  struct asked {
    request what;
    reply_to from;
  };

  void serve(const request& what, const reply_to& from, context& ctx);
  void get(const wallet_get& what, const reply_to& from, context& ctx);
  void take(const wallet_buy_in& what, const reply_to& from, context& ctx);
  void credited(const wallet_credited& what, context& ctx);
  void commit_buy_in(context& ctx);
  void commit_refused(const storage::member_result& result, context& ctx);
  void answer_buy_in(context& ctx);
  void refuse_buy_in(std::string_view code, std::string_view sentence, context& ctx);
  void remember(const buy_in& b);
  bool learn(const std::vector<storage::balance>& rows, context& ctx, bool tell);
  void changed(const account& a, context& ctx) const;
  void drain(context& ctx);
  void open_account(storage::currency money) {
    if (find(money) == nullptr)
      accounts_.push_back({money, storage::player_account(id_.key, money)});
  }
  account* find(storage::currency money) {
    const auto found = std::ranges::find(accounts_, money, &account::money);
    return found == accounts_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::vector<storage::account_id> account_ids() const;
  [[nodiscard]] std::string snapshot() const;
  [[nodiscard]] bool busy() const { return loading_ || current_; }

  entity_id id_;
  const wallet_options* options_;
  std::uint64_t seq_ = 0;
  std::vector<account> accounts_;
  std::vector<buy_in> recent_;  // oldest first, at most wallet_repeats_max
  bool loading_ = false;        // the rows are not read yet
  bool opening_ = false;        // the first commit is on its way
  std::optional<std::pair<wallet_buy_in, reply_to>> current_;  // being read for or committed
  bool reread_ = false;                                        // its row was read again already
  std::deque<asked> waiting_;
};

// ---- replay -----------------------------------------------------------------------------------

void wallet::fold(std::uint64_t seq, millis, std::string_view event) {
  unpacker in{event};
  in.array(2);
  const auto kind = in.number();
  in.integer();
  if (kind == static_cast<std::uint64_t>(event_kind::opened)) {
    open_account(static_cast<storage::currency>(in.number32()));
  } else if (kind == static_cast<std::uint64_t>(event_kind::bought_in)) {
    remember(read_buy_in(in));
  } else {
    throw games::cannot_fold{"a wallet event of a kind that this version does not know"};
  }
  seq_ = seq;
}

void wallet::remember(const buy_in& b) {
  if (std::ranges::find(recent_, b) != recent_.end()) return;
  if (recent_.size() >= wallet_repeats_max) recent_.erase(recent_.begin());
  recent_.push_back(b);
}

std::string wallet::snapshot() const {
  std::string out;
  put_array(out, 4);
  put_uint(out, snapshot_version);
  put_uint(out, seq_);
  put_array(out, accounts_.size());
  for (const auto& a : accounts_) put_uint(out, static_cast<std::uint64_t>(a.money));
  put_array(out, recent_.size() * 4);
  for (const auto& b : recent_) put_buy_in(out, b);
  return out;
}

void wallet::restore(std::string_view bytes) {
  unpacker in{bytes};
  in.array(4);
  if (in.number() != snapshot_version)
    throw games::cannot_fold{"a wallet snapshot of another version"};
  seq_ = in.number();
  accounts_.clear();
  recent_.clear();
  for (auto left = in.array(); left > 0; --left)
    open_account(static_cast<storage::currency>(in.number32()));
  for (auto left = in.array() / 4; left > 0; --left) remember(read_buy_in(in));
}

// ---- life -------------------------------------------------------------------------------------

void wallet::activated(context& ctx, bool fresh) {
  loading_ = true;
  ctx.set_idle(false);
  if (!fresh)
    return ctx.read_balances(account_ids(), static_cast<std::uint64_t>(reading::activation));
  // Account, event and grant are one commit at seq 1: after a crash there is either all of it or
  // none, so the grant's id may be new.
  const auto money = storage::currency::demo;
  const auto own = storage::player_account(id_.key, money);
  const auto grant = uuid::v7(ctx.now());
  change first;
  std::string event;
  put_array(event, 5);
  put_uint(event, static_cast<std::uint64_t>(event_kind::opened));
  put_int(event, ctx.now());
  put_uint(event, static_cast<std::uint64_t>(money));
  put_id(event, grant);
  put_int(event, options_->demo_grant_minor);
  first.events.push_back(std::move(event));
  first.opens.push_back({own, storage::account_kind::player, money, id_.key});
  if (options_->demo_grant_minor > 0) {
    const auto bonus =
        storage::system_account(storage::account_kind::bonus, money, options_->slots.of(id_));
    first.transfers.push_back({grant, bonus, own, options_->demo_grant_minor, money,
                               storage::transfer_kind::grant, grant});
  }
  opening_ = true;
  ctx.commit(std::move(first));
}

std::vector<storage::account_id> wallet::account_ids() const {
  std::vector<storage::account_id> ids;
  for (const auto& a : accounts_) ids.push_back(a.id);
  return ids;
}

void wallet::handle(const request& what, const reply_to& from, context& ctx) {
  if (!busy()) {
    serve(what, from, ctx);
  } else if (waiting_.size() < wallet_waiting_max) {
    waiting_.push_back({what, from});
  } else {
    ctx.reply(from, refused{"overloaded", "This wallet has too much to do.", 500});
  }
  ctx.set_idle(!busy() && waiting_.empty());
}

void wallet::drain(context& ctx) {
  while (!busy() && !waiting_.empty()) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    serve(next.what, next.from, ctx);
  }
  ctx.set_idle(!busy() && waiting_.empty());
}

void wallet::serve(const request& what, const reply_to& from, context& ctx) {
  if (const auto* get_it = std::get_if<wallet_get>(&what)) return get(*get_it, from, ctx);
  if (const auto* buy = std::get_if<wallet_buy_in>(&what)) return take(*buy, from, ctx);
  if (const auto* hint = std::get_if<wallet_credited>(&what)) return credited(*hint, ctx);
#ifdef BARAZA_TEST_COMMANDS
  if (std::holds_alternative<debug_fault>(what)) throw std::runtime_error{"told to throw"};
#endif
  ctx.reply(from, refused{"bad_request", "A wallet does not understand this.", 0});
}

// ---- requests ---------------------------------------------------------------------------------

void wallet::get(const wallet_get& what, const reply_to& from, context& ctx) {
  wallet_state out{what.money, 0, 0, 0};
  // A buy-in on its way holds all else back, so that nothing is taken but not yet answered here.
  if (const auto* a = find(what.money)) out = {a->money, a->balance, a->balance, a->version};
  ctx.reply(from, out);
}

void wallet::take(const wallet_buy_in& what, const reply_to& from, context& ctx) {
  const auto refuse = [&](std::string_view code, std::string_view sentence) {
    ctx.reply(from, refused{std::string{code}, std::string{sentence}, 0});
  };
  if (from.edge != 0) return refuse("forbidden", "Only a table asks for a stake.");
  if (what.amount <= 0 || what.amount > stake_minor_max)
    return refuse("bad_stake", "A stake is above zero and below the limit.");
  if (what.escrow != storage::escrow_account(what.match, what.money))
    return refuse("bad_request", "This is not the escrow of the match.");
  auto* own = find(what.money);
  if (own == nullptr) return refuse("no_account", "This player has no account in that currency.");
  const auto known = std::ranges::find(recent_, what.transfer, &buy_in::transfer);
  if (known != recent_.end()) {
    if (*known != named(what))
      return refuse("transfer_conflict", "This transfer was another stake.");
    return ctx.reply(from, bought_in{own->balance, own->version});
  }
  current_.emplace(what, from);
  reread_ = false;
  if (own->balance >= what.amount) return commit_buy_in(ctx);
  ctx.read_balances({own->id}, static_cast<std::uint64_t>(reading::before_refusal));
}

void wallet::commit_buy_in(context& ctx) {
  const auto& what = current_->first;
  const auto* own = find(what.money);
  change taking;
  std::string event;
  put_array(event, 6);
  put_uint(event, static_cast<std::uint64_t>(event_kind::bought_in));
  put_int(event, ctx.now());
  put_buy_in(event, named(what));
  taking.events.push_back(std::move(event));
  taking.transfers.push_back({what.transfer, own->id, what.escrow, what.amount, what.money,
                              storage::transfer_kind::buy_in, what.match});
  if ((seq_ + 1) % wallet_snapshot_every == 0) {
    auto after = *this;  // the snapshot is of the state after this event
    after.remember(named(what));
    ++after.seq_;
    taking.snapshot = after.snapshot();
  }
  ctx.commit(std::move(taking));
}

void wallet::credited(const wallet_credited& what, context& ctx) { learn({what.now}, ctx, true); }

// ---- answers of the store ---------------------------------------------------------------------

/// Believes rows of higher version. @returns whether anything changed
bool wallet::learn(const std::vector<storage::balance>& rows, context& ctx, bool tell) {
  bool any = false;
  for (const auto& row : rows) {
    const auto own = std::ranges::find(accounts_, row.account, &account::id);
    if (own == accounts_.end() || row.version <= own->version) continue;
    own->balance = row.amount;
    own->version = row.version;
    any = true;
    if (tell) changed(*own, ctx);
  }
  return any;
}

void wallet::changed(const account& a, context& ctx) const {
  player_push out;
  out.player = id_.key;
  out.type = "wallet.changed";
  out.count = 4;
  put_text(out.fields, "balance");
  put_int(out.fields, a.balance);
  put_text(out.fields, "available");
  put_int(out.fields, a.balance);
  put_text(out.fields, "version");
  put_uint(out.fields, a.version);
  put_text(out.fields, "currency");
  put_text(out.fields, storage::to_string(a.money));
  ctx.push(std::move(out));
}

void wallet::committed(const storage::member_result& result, context& ctx) {
  if (opening_) {
    // The account cannot be opened: nothing here can be served; the supervisor tries again and
    // reports.
    if (result.code != storage::errc::none)
      throw std::runtime_error{"the wallet's account was refused: " +
                               std::string{storage::to_string(result.code)}};
    opening_ = loading_ = false;
    ++seq_;
    open_account(storage::currency::demo);
    learn(result.balances, ctx, true);
    return drain(ctx);
  }
  ENTITY_ASSERT(current_);
  if (result.code != storage::errc::none) return commit_refused(result, ctx);
  ++seq_;
  remember(named(current_->first));
  learn(result.balances, ctx, true);
  answer_buy_in(ctx);
}

void wallet::commit_refused(const storage::member_result& result, context& ctx) {
  switch (result.code) {
    case storage::errc::overdraft:  // the row holds less than we believed
      return ctx.read_balances({find(current_->first.money)->id},
                               static_cast<std::uint64_t>(reading::before_refusal));
    case storage::errc::account_closed:
      return refuse_buy_in("match_closed", "The match is over; nothing was taken.", ctx);
    case storage::errc::account_unknown:
      return refuse_buy_in("unknown_match", "There is no such match; nothing was taken.", ctx);
    default:
      return refuse_buy_in(storage::to_string(result.code), "The store refused the stake.", ctx);
  }
}

void wallet::answer_buy_in(context& ctx) {
  const auto [what, from] = *std::exchange(current_, std::nullopt);
  const auto* own = find(what.money);
  ctx.reply(from, bought_in{own->balance, own->version});
  drain(ctx);
}

void wallet::refuse_buy_in(std::string_view code, std::string_view sentence, context& ctx) {
  const auto from = std::exchange(current_, std::nullopt)->second;
  ctx.reply(from, refused{std::string{code}, std::string{sentence}, 0});
  drain(ctx);
}

void wallet::balances_read(std::uint64_t correlation, const std::vector<storage::balance>& rows,
                           context& ctx) {
  if (correlation == static_cast<std::uint64_t>(reading::activation)) {
    learn(rows, ctx, false);
    loading_ = false;
    return drain(ctx);
  }
  if (!current_) return;
  learn(rows, ctx, true);
  const auto& what = current_->first;
  if (find(what.money)->balance >= what.amount && !std::exchange(reread_, true))
    return commit_buy_in(ctx);
  // He cannot pay: unless this is a repeat of a stake that he paid too long ago for recent_ to
  // know.
  ctx.read_transfers(what.escrow, what.match, 0);
}

void wallet::transfers_read(std::uint64_t, const std::vector<storage::transfer>& found,
                            context& ctx) {
  if (!current_) return;
  const bool paid =
      std::ranges::find(found, current_->first.transfer, &storage::transfer::id) != found.end();
  if (paid) return answer_buy_in(ctx);
  refuse_buy_in("insufficient_funds", "The balance does not cover the stake.", ctx);
}

}  // namespace

std::unique_ptr<entity> make_wallet(const entity_id& id, const wallet_options& options) {
  return std::make_unique<wallet>(id, options);
}

}  // namespace baraza::actors
