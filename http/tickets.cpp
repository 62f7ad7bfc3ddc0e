#include "http/tickets.hpp"

#include "http/auth_tokens.hpp"

namespace baraza::http {
namespace {
std::string key_of(const storage::digest& d) {
  return {reinterpret_cast<const char*>(d.data()), d.size()};
}
}  // namespace

std::string tickets::issue(const caller& who, millis now) {
  const std::lock_guard lock{mutex_};
  if (entries_.size() >= most_)
    std::erase_if(entries_, [&](const auto& one) { return one.second.until <= now; });
  if (entries_.size() >= most_) return {};
  auto token = tokens::make(tokens::ticket_prefix);
  entries_[key_of(*tokens::digest_of(tokens::ticket_prefix, token))] = {who, now + live_};
  return token;
}

std::optional<caller> tickets::redeem(std::string_view ticket, millis now) {
  const auto digest = tokens::digest_of(tokens::ticket_prefix, ticket);
  if (!digest) return std::nullopt;
  const std::lock_guard lock{mutex_};
  const auto found = entries_.find(key_of(*digest));
  if (found == entries_.end()) return std::nullopt;
  auto out = std::move(found->second);
  entries_.erase(found);
  if (out.until <= now) return std::nullopt;
  return std::move(out.who);
}

}  // namespace baraza::http
