#include "http/auth_service.hpp"

#include <sodium.h>

#include <algorithm>
#include <stdexcept>

#include "http/accounts.hpp"
#include "http/auth_tokens.hpp"

namespace baraza::http {
namespace {

constexpr auth_error busy{503, "overloaded", "Too many logins at once; try again soon.", 1000};
constexpr auth_error unauthorized{401, "unauthorized", "The token is unknown or has expired."};
constexpr auth_error bad_login{401, "bad_login", "Name or password is wrong."};
constexpr auth_error disabled{403, "account_disabled", "This account is disabled; ask support."};
constexpr auth_error breached{
    422, "breached_password",
    "This password is in a list that attackers try first; choose another."};
constexpr auth_error no_key{
    503, "unavailable", "Passwords of this account cannot be checked by this server right now."};
constexpr auth_error bad_refresh{401, "bad_refresh",
                                 "The refresh token is unknown, used or expired; log in again."};

auth_error refused(const accounts::refusal& why) { return {422, why.code, why.sentence}; }

uuid key_of(std::string_view text) {
  unsigned char hash[32];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  uuid out;
  std::memcpy(out.bytes.data(), hash, 16);
  return out;
}

nanos steady_now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

auth_error too_many(nanos wait) {
  return {429, "rate_limited", "Too many tries; wait before the next.",
          static_cast<std::uint32_t>(wait / 1'000'000 + 1)};
}

std::string guest_name(const uuid& player) {
  static constexpr char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string out = "Guest-";
  for (std::size_t i = 0; i < 5; ++i) out += letters[player.bytes[i] % 32];
  return out;
}

std::string shortened(std::string device) {
  std::erase_if(device, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E;
  });
  if (device.size() > limits::device_bytes_max) device.resize(limits::device_bytes_max);
  return device;
}

}  // namespace

auth_service::auth_service(auth_options options, storage::identity_store& store, end_sessions end,
                           clock now, log write, record keep)
    : options_{std::move(options)},
      store_{store},
      end_{std::move(end)},
      now_{std::move(now)},
      log_{std::move(write)},
      record_{std::move(keep)},
      cache_{limits::access_cache_max, options_.cache_live.count()},
      tickets_{limits::tickets_max, std::chrono::milliseconds{limits::ticket_time}.count()},
      accounts_{options_.account_limits, limits::address_keys_max},
      addresses_{options_.address_limits, limits::address_keys_max},
      hasher_{options_.password_cost, options_.pepper},
      passwords_{options_.password_threads, options_.password_queue_max},
      reads_{options_.store_threads, limits::store_queue_max} {
  if (sodium_init() < 0) throw std::runtime_error{"libsodium cannot start"};
  // An unknown name is checked against this one, so that it takes as long as a known one.
  auto dummy = hasher_.hash(tokens::make("x"));
  if (!dummy) throw std::runtime_error{"no memory for argon2id"};
  dummy_hash_ = std::move(*dummy);
}

auth_service::~auth_service() { stop(); }

void auth_service::stop() {
  passwords_.stop();
  reads_.stop();
}

auth_error auth_service::store_error(const storage::error& why, std::string_view what) const {
  log_("identity_store_error", std::string{what} + ": " + why.message);
  return {503, "unavailable", "Accounts cannot be reached right now; try again soon.", 1000};
}

storage::login_session auth_service::fresh_login(const uuid& player, bool guest, std::string device,
                                                 issued& out) const {
  const auto now = now_();
  out.player = player;
  out.login = uuid::v7(now);
  out.access = tokens::make(tokens::access_prefix);
  out.refresh = tokens::make(tokens::refresh_prefix);
  out.access_live = options_.access_live;
  out.guest = guest;
  storage::login_session session;
  session.id = out.login;
  session.player = player;
  session.access = *tokens::digest_of(tokens::access_prefix, out.access);
  session.refresh = *tokens::digest_of(tokens::refresh_prefix, out.refresh);
  session.access_expires_at = now + options_.access_live.count();
  session.idle_expires_at = now + (guest ? options_.guest_live : options_.idle_live).count();
  session.absolute_expires_at =
      now + (guest ? options_.guest_live : options_.absolute_live).count();
  session.device = std::move(device);
  return session;
}

void auth_service::guest(std::string display, std::string device, answer_to<issued> done) {
  const auto player = uuid::v4();
  if (display.empty()) {
    display = guest_name(player);
  } else {
    auto checked = accounts::normalise_display(display);
    if (auto* why = std::get_if<accounts::refusal>(&checked)) return done(refused(*why));
    display = std::move(std::get<std::string>(checked));
  }
  const auto job = [this, player, display, device = shortened(std::move(device)), done] {
    storage::identity who;
    who.player = player;
    who.display = display;
    who.created_at = now_();
    issued out;
    out.display = display;
    const auto session = fresh_login(player, true, device, out);
    if (const auto made = store_.create(who, session); !made)
      return done(store_error(made.why(), "create guest"));
    cache_.put(session.access,
               {player, session.id, display, session.access_expires_at, session.absolute_expires_at,
                cache_.ends()},
               now_());
    done(std::move(out));
  };
  if (!reads_.submit(job)) done(busy);
}

void auth_service::enrol(std::string name, std::string password, std::string display,
                         std::string device, answer_to<issued> done) {
  auto normal = accounts::normalise_name(name);
  if (auto* why = std::get_if<accounts::refusal>(&normal)) return done(refused(*why));
  if (const auto why = accounts::check_password(password, std::get<std::string>(normal)))
    return done(refused(*why));
  if (options_.breached && options_.breached->contains(password)) {
    log_("register_refused",
         "name=" + accounts::masked(std::get<std::string>(normal)) + " breached password");
    return done(breached);
  }
  auto shown = accounts::normalise_display(display);
  if (auto* why = std::get_if<accounts::refusal>(&shown)) return done(refused(*why));
  const auto job = [this, name = std::get<std::string>(normal), password = std::move(password),
                    display = std::get<std::string>(shown), device = shortened(std::move(device)),
                    done] {
    auto hash = hasher_.hash(password);
    if (!hash) return done(busy);
    storage::identity who;
    who.player = uuid::v4();
    who.name = name;
    who.display = display;
    who.password_hash = std::move(*hash);
    who.created_at = now_();
    issued out;
    out.display = display;
    const auto session = fresh_login(who.player, false, device, out);
    if (const auto made = store_.create(who, session); !made) {
      if (made.why().code != storage::errc::exists)
        return done(store_error(made.why(), "create account"));
      log_("register_refused", "name=" + accounts::masked(name) + " taken");
      return done(auth_error{409, "name_taken", "There is an account with this name already."});
    }
    log_("registered", "name=" + accounts::masked(name) + " player=" + who.player.to_string());
    done(std::move(out));
  };
  if (!passwords_.submit(job)) done(busy);
}

void auth_service::login(std::string name, std::string password, std::string device,
                         const address& from, answer_to<issued> done) {
  auto normal = accounts::normalise_name(name);
  if (auto* why = std::get_if<accounts::refusal>(&normal)) return done(refused(*why));
  if (password.empty() || password.size() > limits::password_bytes_max) return done(bad_login);
  auto& known = std::get<std::string>(normal);
  const auto account = key_of(known), source = from.bytes;
  const auto wait =
      std::max(accounts_.ask(account, steady_now()), addresses_.ask(source, steady_now()));
  if (wait > 0) {
    log_("login_limited", "name=" + accounts::masked(known) + " address=" + from.to_string());
    return done(too_many(wait));
  }
  const auto job = [this, name = known, password = std::move(password),
                    device = shortened(std::move(device)), from, account, source, done] {
    auto out = try_login(name, password, device);
    const bool ok = std::holds_alternative<issued>(out);
    if (ok) {
      accounts_.succeeded(account);
      addresses_.succeeded(source);
    } else if (std::get<auth_error>(out).status == 401) {
      accounts_.failed(account, steady_now());
      addresses_.failed(source, steady_now());
    }
    log_(ok ? "login_ok" : "login_failed",
         "name=" + accounts::masked(name) + " address=" + from.to_string());
    done(std::move(out));
  };
  if (!passwords_.submit(job)) done(busy);
}

auth_service::issue_result auth_service::try_login(const std::string& name,
                                                   const std::string& password,
                                                   std::string device) {
  const auto who = store_.by_name(name);
  if (!who && who.why().code != storage::errc::not_found)
    return store_error(who.why(), "find name");
  const bool real = who && !who->password_hash.empty();
  const auto said = hasher_.verify(real ? who->password_hash : dummy_hash_, password);
  if (said == passwords::verdict::no_key) {  // our mistake, not his
    log_("password_key_missing",
         "player=" + who->player.to_string() + " key=" + passwords::key_of(who->password_hash));
    return no_key;
  }
  if (!real || said != passwords::verdict::right) return bad_login;
  if (who->disabled) return disabled;  // told to nobody but who knows the password
  if (hasher_.is_outdated(who->password_hash)) {
    if (const auto better = hasher_.hash(password)) {
      if (const auto kept = store_.set_password_hash(who->player, *better); !kept)
        store_error(kept.why(), "rehash");
    }
  }
  return begin_login(*who, std::move(device));
}

auth_service::issue_result auth_service::begin_login(const storage::identity& who,
                                                     std::string device) {
  auto others = store_.sessions(who.player);
  if (!others) return store_error(others.why(), "list logins");
  std::sort(others->begin(), others->end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });  // UUIDv7: by age
  for (std::size_t i = 0; i + limits::sessions_per_player_max <= others->size(); ++i)
    end_family((*others)[i], "too many logins");
  issued out;
  out.display = who.display;
  const auto session = fresh_login(who.player, false, std::move(device), out);
  if (const auto added = store_.add_session(session); !added)
    return store_error(added.why(), "add login");
  // Disabled meanwhile: whoever did that may have ended the logins before this one was there.
  const auto still = store_.by_player(who.player);
  if (!still) return store_error(still.why(), "find player");
  if (!still->disabled) return out;
  end_family(session, "disabled");
  return disabled;
}

void auth_service::refresh(std::string_view token, answer_to<issued> done) {
  const auto digest = tokens::digest_of(tokens::refresh_prefix, token);
  if (!digest) return done(bad_refresh);
  if (!reads_.submit([this, digest = *digest, done] { done(renew(digest)); })) done(busy);
}

auth_service::issue_result auth_service::renew(const storage::digest& shown) {
  const auto old = store_.by_refresh(shown);
  if (!old)
    return old.why().code == storage::errc::not_found
               ? bad_refresh
               : store_error(old.why(), "find refresh token");
  if (old->refresh != shown) {  // rotated away: either it was stolen, or the thief was faster
    end_family(*old, "refresh token used twice");
    return bad_refresh;
  }
  const auto now = now_();
  if (old->idle_expires_at <= now || old->absolute_expires_at <= now) return bad_refresh;
  const auto who = store_.by_player(old->player);
  if (!who) return store_error(who.why(), "find player");
  if (who->disabled) return bad_refresh;
  issued out;
  out.display = who->display;
  auto next = fresh_login(old->player, !who->name, old->device, out);
  next.id = out.login = old->id;
  next.previous_refresh = old->refresh;
  next.absolute_expires_at = old->absolute_expires_at;
  next.idle_expires_at = std::min(next.idle_expires_at, next.absolute_expires_at);
  next.access_expires_at = std::min(next.access_expires_at, next.absolute_expires_at);
  if (const auto kept = store_.rotate(next, old->refresh); !kept) {
    if (kept.why().code == storage::errc::seq_conflict ||
        kept.why().code == storage::errc::not_found)
      return bad_refresh;
    return store_error(kept.why(), "rotate");
  }
  cache_.forget(old->id);
  return out;
}

void auth_service::end_family(const storage::login_session& session, std::string_view why) {
  if (const auto ended = store_.end_session(session.id); !ended)
    store_error(ended.why(), "end login");
  cache_.end(session.id, now_());
  end_(session.player, &session.id);
  log_("login_ended", "player=" + session.player.to_string() + " why=" + std::string{why});
}

void auth_service::profile(const caller& who, answer_to<profile_view> done) {
  const auto job = [this, who, done] {
    const auto found = store_.by_player(who.player);
    if (!found) return done(store_error(found.why(), "find player"));
    done(profile_view{found->player, found->display, !found->name,
                      found->name ? accounts::masked(*found->name) : ""});
  };
  if (!reads_.submit(job)) done(busy);
}

void auth_service::authenticate(std::string_view access, answer_to<caller> done) {
  const auto digest = tokens::digest_of(tokens::access_prefix, access);
  if (!digest) return done(unauthorized);
  if (auto known = cache_.find(*digest, now_())) return done(std::move(*known));
  const auto job = [this, digest = *digest, done] {
    const auto seen_ends = cache_.ends();
    const auto session = store_.by_access(digest);
    if (!session) {
      return done(session.why().code == storage::errc::not_found
                      ? unauthorized
                      : store_error(session.why(), "find token"));
    }
    if (session->access_expires_at <= now_() || session->absolute_expires_at <= now_())
      return done(unauthorized);
    const auto who = store_.by_player(session->player);
    if (!who) return done(store_error(who.why(), "find player"));
    const caller out{session->player,
                     session->id,
                     who->display,
                     session->access_expires_at,
                     session->absolute_expires_at,
                     seen_ends};
    if (who->disabled || cache_.is_ended(out)) return done(unauthorized);
    cache_.put(digest, out, now_());
    done(out);
  };
  if (!reads_.submit(job)) done(busy);
}

std::optional<caller> auth_service::redeem(std::string_view ticket) {
  auto who = tickets_.redeem(ticket, now_());
  if (who && cache_.is_ended(*who)) return std::nullopt;
  return who;
}

}  // namespace baraza::http
