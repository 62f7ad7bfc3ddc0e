#include "actors/lobby.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include "actors/limits.hpp"
#include "actors/pack.hpp"

namespace baraza::actors {
namespace {

using namespace pack;

constexpr millis ask_again_ms = 250;

class lobby final : public entity {
 public:
  lobby(const entity_id& id, const lobby_options& options)
      : id_{id}, options_{&options}, queue_{options.matching} {}

  void restore(std::string_view) override {}
  void fold(std::uint64_t, millis, std::string_view) override {}
  void activated(context& ctx, bool) override { ctx.set_idle(true); }
  void handle(const request& what, const reply_to& from, context& ctx) override;
  void committed(const storage::member_result&, context&) override {}
  void answered(std::uint64_t correlation, const answer& what, context& ctx) override;
  void timer(context& ctx) override;

 private:
  struct member {
    lobby_join joined;
    millis lost_at = 0;  // 0: connected
  };
  /// A match that its table has been asked to create.
  struct pairing {
    uuid match;
    std::vector<member> players;
    int attempts = 0;
    millis again_at = 0;  // 0: an answer is awaited
  };

  void join(const lobby_join& what, const reply_to& from, context& ctx);
  void leave(const lobby_leave& what, const reply_to& from, context& ctx);
  void back(const lobby_back& what, const reply_to& from, context& ctx);
  void start(const uuid& one, const uuid& other, context& ctx);
  void ask(std::uint64_t number, pairing& p, context& ctx);
  void announce(const pairing& p, context& ctx) const;
  void give_up(pairing& p, std::string_view reason, context& ctx);
  void remove(const uuid& player);
  void settle_timer(context& ctx);
  [[nodiscard]] bool is_pairing(const uuid& player, const uuid& ticket) const;

  entity_id id_;
  const lobby_options* options_;
  matcher queue_;
  std::unordered_map<uuid, member> members_;   // those in the queue, by player
  std::map<std::uint64_t, pairing> pairings_;  // by correlation number
  std::uint64_t next_number_ = 1;
  std::size_t lost_ = 0;  // members with lost_at != 0
  millis timer_at_ = 0;   // 0: none set
};

void refuse(context& ctx, const reply_to& to, std::string_view code, std::string_view sentence,
            std::uint32_t retry_ms = 0) {
  ctx.reply(to, refused{std::string{code}, std::string{sentence}, retry_ms});
}

void lobby::handle(const request& what, const reply_to& from, context& ctx) {
  if (const auto* enter = std::get_if<lobby_join>(&what)) {
    join(*enter, from, ctx);
  } else if (const auto* gone = std::get_if<lobby_leave>(&what)) {
    leave(*gone, from, ctx);
  } else if (const auto* again = std::get_if<lobby_back>(&what)) {
    back(*again, from, ctx);
  } else {
    refuse(ctx, from, "bad_request", "A lobby does not understand this.");
  }
  settle_timer(ctx);
}

bool lobby::is_pairing(const uuid& player, const uuid& ticket) const {
  return std::ranges::any_of(pairings_, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.players, [&](const member& m) {
      return m.joined.player == player && m.joined.ticket == ticket;
    });
  });
}

void lobby::join(const lobby_join& what, const reply_to& from, context& ctx) {
  const auto find = options_->find_game ? options_->find_game : &games::find;
  const auto* rules = what.game.size() <= game_name_bytes_max ? find(what.game) : nullptr;
  if (rules == nullptr) return refuse(ctx, from, "unknown_game", "There is no such game.");
  if (what.stake <= 0 || what.stake > stake_minor_max)
    return refuse(ctx, from, "bad_stake", "A stake is above zero and below the limit.");
  if (rules->seats_min() > 2 || rules->seats_max() < 2)
    return refuse(ctx, from, "not_paired", "This game is not for two.");
  const auto checked = rules->check_options(what.options);
  if (const auto* why = std::get_if<games::refusal>(&checked))
    return refuse(ctx, from, why->code, why->sentence);
  const auto& canonical = std::get<0>(checked);
  if (lobby_key(what.game, canonical, what.stake, what.money) != id_.key)
    return refuse(ctx, from, "bad_request", "This lobby is for other terms.");
  if (what.player.is_nil() || what.ticket.is_nil() || what.display.size() > display_bytes_max ||
      !games::codec::is_utf8(what.display))
    return refuse(ctx, from, "bad_request", "A ticket names a player.");
  if (is_pairing(what.player, what.ticket)) return ctx.reply(from, accepted{0});

  const auto now = ctx.now();
  const auto limit = std::min<std::size_t>(options_->queue_max, lobby_queue_max);
  if (!queue_.enter({what.ticket, what.player, what.rating, now, true}, limit))
    return refuse(ctx, from, "overloaded", "The queue is full.", 2'000);
  remove(what.player);
  auto& own = members_[what.player];
  own.joined = what;
  own.joined.options = canonical;
  ctx.reply(from, accepted{0});
  if (pairings_.size() >= lobby_pairings_max) return;  // the next round sees to it
  if (const auto opponent = queue_.opponent_of(what.player, now)) {
    queue_.leave(what.player);
    queue_.leave(*opponent);
    start(*opponent, what.player, ctx);  // the one who waited longer sits first
  }
}

void lobby::remove(const uuid& player) {
  const auto found = members_.find(player);
  if (found == members_.end()) return;
  lost_ -= found->second.lost_at != 0;
  members_.erase(found);
}

void lobby::leave(const lobby_leave& what, const reply_to& from, context& ctx) {
  for (auto& [number, p] : pairings_)  // his table will not find him ready; nothing is taken
    std::erase_if(p.players, [&](const member& m) {
      return !what.lost_connection && m.joined.player == what.player &&
             m.joined.ticket == what.ticket;
    });
  const auto found = members_.find(what.player);
  // A ticket that was replaced by a newer one leaves nothing behind.
  if (found != members_.end() && found->second.joined.ticket == what.ticket) {
    if (what.lost_connection) {
      if (found->second.lost_at == 0) ++lost_;
      found->second.lost_at = ctx.now();
      queue_.set_present(what.player, false);
    } else {
      queue_.leave(what.player);
      remove(what.player);
    }
  }
  ctx.reply(from, accepted{0});
}

void lobby::back(const lobby_back& what, const reply_to& from, context& ctx) {
  const auto found = members_.find(what.player);
  if (found == members_.end() || found->second.joined.ticket != what.ticket)
    return is_pairing(what.player, what.ticket)
               ? ctx.reply(from, accepted{0})
               : refuse(ctx, from, "no_ticket", "The place in the queue is gone; join again.");
  lost_ -= found->second.lost_at != 0;
  found->second.lost_at = 0;
  queue_.set_present(what.player, true);
  ctx.reply(from, accepted{0});
}

// ---- pairing ----------------------------------------------------------------------------------

void lobby::start(const uuid& one, const uuid& other, context& ctx) {
  pairing p;
  p.match = options_->new_match ? options_->new_match(ctx.now()) : uuid::v7(ctx.now());
  for (const auto& player : {one, other}) {
    p.players.push_back(members_.at(player));
    remove(player);
  }
  const auto number = next_number_++;
  ask(number, pairings_[number] = std::move(p), ctx);
}

void lobby::ask(std::uint64_t number, pairing& p, context& ctx) {
  ++p.attempts;
  p.again_at = 0;
  const auto& terms = p.players.front().joined;
  table_create create{terms.game, terms.options, terms.stake, terms.money, {}};
  for (const auto& m : p.players) create.seats.push_back({m.joined.player, m.joined.display});
  ctx.ask({entity_kind::table, p.match}, std::move(create), number,
          ctx.now() + options_->create_timeout_ms);
}

void lobby::answered(std::uint64_t correlation, const answer& what, context& ctx) {
  const auto found = pairings_.find(correlation);
  if (found == pairings_.end()) return;
  auto& p = found->second;
  const auto* why = std::get_if<refused>(&what);
  if (why == nullptr) {
    announce(p, ctx);
    pairings_.erase(found);
  } else if (p.players.size() < 2) {
    give_up(p, "opponent_left", ctx);  // nobody to sit with: the other one is put back
    pairings_.erase(found);
  } else if (p.attempts < lobby_create_attempts_max &&
             (why->code == "timeout" || why->retry_ms != 0)) {
    p.again_at =
        ctx.now() +
        std::max<millis>(ask_again_ms, why->retry_ms);  // the same match: unknown is not failed
  } else {
    give_up(p, why->code, ctx);
    pairings_.erase(found);
  }
  settle_timer(ctx);
}

void lobby::announce(const pairing& p, context& ctx) const {
  for (const auto& own : p.players) {
    player_push out;
    out.player = own.joined.player;
    out.type = "lobby.matched";
    out.table = p.match;
    out.count = 5;
    put_text(out.fields, "table");
    put_text(out.fields, p.match.to_string());
    put_text(out.fields, "game");
    put_text(out.fields, own.joined.game);
    put_text(out.fields, "stake");
    put_int(out.fields, own.joined.stake);
    put_text(out.fields, "currency");
    put_text(out.fields, storage::to_string(own.joined.money));
    put_text(out.fields, "opponents");
    put_array(out.fields, p.players.size() - 1);
    for (const auto& other : p.players)
      if (other.joined.player != own.joined.player) put_text(out.fields, other.joined.display);
    ctx.push(std::move(out));
  }
}

void lobby::give_up(pairing& p, std::string_view reason, context& ctx) {
  // Should the table exist after all, it ends by itself: nobody gets ready there, and nothing is
  // taken.
  for (const auto& m : p.players) {
    player_push out;
    out.player = m.joined.player;
    out.type = "lobby.left";
    out.count = 1;
    put_text(out.fields, "reason");
    put_text(out.fields, reason);
    ctx.push(std::move(out));
  }
}

void lobby::timer(context& ctx) {
  timer_at_ = 0;
  const auto now = ctx.now();
  for (auto& [number, p] : pairings_)
    if (p.again_at != 0 && now >= p.again_at) ask(number, p, ctx);
  if (lost_ != 0) {
    std::vector<uuid> gone;
    for (const auto& [player, m] : members_)
      if (m.lost_at != 0 && now >= m.lost_at + options_->grace_ms) gone.push_back(player);
    for (const auto& player : gone) {
      queue_.leave(player);
      remove(player);
    }
  }
  const auto room = lobby_pairings_max - std::min(lobby_pairings_max, pairings_.size());
  for (const auto& [one, other] : queue_.pair(now, room)) start(one, other, ctx);
  settle_timer(ctx);
}

void lobby::settle_timer(context& ctx) {
  const bool waiting = !members_.empty();
  const bool asking =
      std::ranges::any_of(pairings_, [](const auto& entry) { return entry.second.again_at != 0; });
  const auto at = waiting || asking ? ctx.now() + (asking ? ask_again_ms : options_->round_ms) : 0;
  // Never later than already set: a stream of joins must not put the next round off for ever.
  if (at == 0 || timer_at_ == 0 || at < timer_at_) {
    if (at != timer_at_) ctx.set_timer(at);
    timer_at_ = at;
  }
  ctx.set_idle(!waiting && pairings_.empty());
}

}  // namespace

uuid lobby_key(std::string_view game, std::string_view options, std::int64_t stake,
               storage::currency money) {
  std::string terms{"lobby"};
  put_text(terms, game);
  put_binary(terms, options);
  put_int(terms, stake);
  put_text(terms, storage::to_string(money));
  return uuid::v8(uuid{}, terms);
}

std::unique_ptr<entity> make_lobby(const entity_id& id, const lobby_options& options) {
  return std::make_unique<lobby>(id, options);
}

}  // namespace baraza::actors
