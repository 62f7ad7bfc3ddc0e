// A player's own logins: listed, ended one by one or all at once.
#include <algorithm>

#include "http/auth_service.hpp"

namespace baraza::http {
namespace {
constexpr auth_error busy{503, "overloaded", "Too many requests wait for the accounts.", 1000};
}

void auth_service::logout(const caller& who, answer_to<std::uint32_t> done) {
  end(who, who.login, std::move(done));
}

void auth_service::logout_everywhere(const caller& who, answer_to<std::uint32_t> done) {
  const auto job = [this, who, done] {
    const auto ended = store_.end_all(who.player);
    if (!ended) return done(store_error(ended.why(), "end logins"));
    cache_.end(who.player, now_());
    end_(who.player, nullptr);
    log_("logout_everywhere", "player=" + who.player.to_string());
    done(*ended);
  };
  if (!reads_.submit(job)) done(busy);
}

void auth_service::list(const caller& who, answer_to<std::vector<login_view>> done) {
  const auto job = [this, who, done] {
    const auto all = store_.sessions(who.player);
    if (!all) return done(store_error(all.why(), "list logins"));
    std::vector<login_view> out;
    for (const auto& one : *all) {
      out.push_back({one.id, one.device, one.access_expires_at, one.idle_expires_at,
                     one.absolute_expires_at, one.id == who.login});
    }
    done(std::move(out));
  };
  if (!reads_.submit(job)) done(busy);
}

void auth_service::end(const caller& who, const uuid& login, answer_to<std::uint32_t> done) {
  const auto job = [this, who, login, done] {
    const auto all = store_.sessions(who.player);  // only one's own
    if (!all) return done(store_error(all.why(), "list logins"));
    const auto found =
        std::find_if(all->begin(), all->end(), [&](const auto& one) { return one.id == login; });
    if (found == all->end()) return done(auth_error{404, "not_found", "You have no such login."});
    if (const auto ended = store_.end_session(login); !ended)
      return done(store_error(ended.why(), "end login"));
    cache_.end(login, now_());
    end_(who.player, &login);
    log_("logout", "player=" + who.player.to_string());
    done(std::uint32_t{1});
  };
  if (!reads_.submit(job)) done(busy);
}

}  // namespace baraza::http
