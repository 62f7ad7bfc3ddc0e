// What operators decide about players: logout, disable, enable. Runs on the store's threads.
#include "http/auth_service.hpp"

namespace baraza::http {
namespace {

using action = player_order::action;

std::string_view word_of(action what) {
  switch (what) {
    case action::logout:
      return "logout_ordered";
    case action::disable:
      return "disable_ordered";
    case action::enable:
      break;
  }
  return "enable_ordered";
}

constexpr auth_error unrecorded{503, "unavailable", "The store does not answer: nothing was done.",
                                1000};

}  // namespace

void auth_service::order(player_order what, answer_to<player_verdict> done) {
  const auto job = [this, what = std::move(what), done] { done(carry_out(what)); };
  if (!reads_.submit(job))
    done(auth_error{503, "overloaded", "Too many requests wait for the accounts.", 1000});
}

std::variant<player_verdict, auth_error> auth_service::carry_out(const player_order& what) {
  const auto who = store_.by_player(what.player);
  if (!who && who.why().code == storage::errc::not_found)
    return auth_error{404, "unknown_player", "There is no such player."};
  if (!who) return store_error(who.why(), "find player");
  // Who, when, what: on record before anything is done.
  const auto now = now_();
  const storage::incident said{uuid::v7(now),
                               now,
                               {entity_kind::wallet, what.player},
                               std::string{word_of(what.what)},
                               "by " + what.by};
  if (!record_ || !record_(said)) return unrecorded;
  log_("operator." + said.kind, "player=" + what.player.to_string() + " " + said.detail);

  player_verdict out{true, 0};
  if (what.what != action::logout) {
    const bool off = what.what == action::disable;
    out.is_news = who->disabled != off;
    if (const auto set = store_.set_disabled(what.player, off); !set)
      return store_error(set.why(), "disable or enable");
    if (!off) return out;
  }
  const bool keeps_logins = what.what == action::disable && !who->name;
  if (!keeps_logins) {
    const auto ended = store_.end_all(what.player);
    if (!ended) return store_error(ended.why(), "end logins");
    out.ended = *ended;
  }
  // Also when it was so already: an edge that did not hear of it the first time does now.
  cache_.end(what.player, now_());
  end_(what.player, nullptr);
  return out;
}

}  // namespace baraza::http
