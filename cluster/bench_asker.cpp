#include "cluster/bench_asker.hpp"

#include <algorithm>
#include <random>

#include "cluster/limits.hpp"
#include "storage/limits.hpp"

namespace baraza::cluster {
namespace {

using storage::currency;

// A stake that is not answered by then counts as refused: the run is void.
constexpr millis patience = 60'000;

class bench_asker final : public actors::entity {
 public:
  bench_asker(const bench_share& share, bench_tally& tally) : share_{share}, tally_{tally} {}

  void restore(std::string_view) override {}
  void fold(std::uint64_t, millis, std::string_view) override {}
  void activated(actors::context& ctx, bool) override { ctx.set_idle(false); }
  void timer(actors::context&) override {}

  void handle(const actors::request&, const actors::reply_to&, actors::context& ctx) override {
    if (opened_ < share_.matches.size()) return open_escrows(ctx);
    paying_ = true;
    open_window(ctx);
  }

  void committed(const storage::member_result& result, actors::context& ctx) override {
    if (result.code != storage::errc::none) {
      count(actors::refused{"escrow", result.detail, 0});
      return;
    }
    if (opened_ < share_.matches.size()) return open_escrows(ctx);
    open_window(ctx);
  }

  void answered(std::uint64_t, const actors::answer& what, actors::context& ctx) override {
    if (count(what)) ask(ctx);
  }

 private:
  void open_escrows(actors::context& ctx) {
    const auto end = std::min(share_.matches.size(), opened_ + storage::commit_accounts_max);
    actors::change some;
    some.events = {"escrows"};
    for (; opened_ < end; ++opened_) {
      const auto& match = share_.matches[opened_];
      some.opens.push_back({storage::escrow_account(match, currency::demo),
                            storage::account_kind::escrow, currency::demo, match});
    }
    ctx.commit(std::move(some));
  }

  void open_window(actors::context& ctx) {
    for (std::size_t i = 0; i < std::min(share_.window, share_.players.size()); ++i) ask(ctx);
  }

  void ask(actors::context& ctx) {
    if (!paying_ && asked_ >= share_.players.size()) return;
    const entity_id wallet{entity_kind::wallet, share_.players[asked_++ % share_.players.size()]};
    actors::request what = actors::wallet_get{currency::demo};
    if (paying_) {
      const auto& match = share_.matches[random_() % share_.matches.size()];
      what =
          actors::wallet_buy_in{uuid::v7(ctx.now()), match,
                                storage::escrow_account(match, currency::demo), 1, currency::demo};
    }
    ctx.ask(wallet, std::move(what), asked_, ctx.now() + patience);
  }

  /// @returns whether to go on asking
  bool count(const actors::answer& what) {
    const std::lock_guard lock{tally_.mutex};
    ++tally_.answered;
    if (const auto* no = std::get_if<actors::refused>(&what))
      if (tally_.refused++ == 0) tally_.first_refusal = no->code + ": " + no->message;
    if (tally_.answered % 1024 == 0) tally_.changed.notify_all();
    return !tally_.stopping;
  }

  const bench_share& share_;
  bench_tally& tally_;
  std::size_t opened_ = 0;
  std::uint64_t asked_ = 0;
  bool paying_ = false;
  std::minstd_rand random_{7};
};

}  // namespace

std::unique_ptr<actors::entity> make_bench_asker(const bench_share& share, bench_tally& tally) {
  return std::make_unique<bench_asker>(share, tally);
}

}  // namespace baraza::cluster
