#include "http/access_cache.hpp"

namespace baraza::http {
namespace {
constexpr millis ended_keep = 60'000;  // longer than a ticket, an entry or a read may live
}

std::optional<caller> access_cache::find(const storage::digest& access, millis now) {
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(access);
  if (found == entries_.end()) return std::nullopt;
  if (found->second.until > now && !has_ended(found->second.who)) return found->second.who;
  tokens_.erase(found->second.who.login);
  entries_.erase(found);
  return std::nullopt;
}

void access_cache::put(const storage::digest& access, const caller& who, millis now) {
  const std::lock_guard lock{mutex_};
  if (has_ended(who)) return;
  if (entries_.size() >= entries_max_) {
    std::erase_if(entries_, [&](const auto& one) {
      if (one.second.until > now) return false;
      tokens_.erase(one.second.who.login);
      return true;
    });
  }
  if (entries_.size() >= entries_max_) {  // any entry may go: it costs its owner one read
    tokens_.erase(entries_.begin()->second.who.login);
    entries_.erase(entries_.begin());
  }
  const auto [token, fresh] = tokens_.try_emplace(who.login, access);
  if (!fresh) {
    entries_.erase(token->second);
    token->second = access;
  }
  entries_[access] = {who, std::min(now + keep_, who.access_expires_at)};
}

void access_cache::forget(const uuid& login) {
  const std::lock_guard lock{mutex_};
  if (const auto token = tokens_.find(login); token != tokens_.end()) {
    entries_.erase(token->second);
    tokens_.erase(token);
  }
}

void access_cache::end(const uuid& login_or_player, millis now) {
  const std::lock_guard lock{mutex_};
  if (ended_.size() >= entries_max_) {
    std::erase_if(ended_, [&](const auto& one) { return one.second.at + ended_keep < now; });
  }
  ended_[login_or_player] = {++ends_, now};
}

std::uint64_t access_cache::ends() const {
  const std::lock_guard lock{mutex_};
  return ends_;
}

bool access_cache::is_ended(const caller& who) const {
  const std::lock_guard lock{mutex_};
  return has_ended(who);
}

bool access_cache::has_ended(const caller& who) const {
  for (const auto& key : {who.login, who.player}) {
    const auto found = ended_.find(key);
    if (found != ended_.end() && found->second.number > who.seen_ends) return true;
  }
  return false;
}

}  // namespace baraza::http
