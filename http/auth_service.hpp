// Accounts and logins: guests, registration, login, refresh, logout. Everything that blocks runs on
// pools of its own; `done` is called once, from any thread, often before the call returns.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "http/access_cache.hpp"
#include "http/address.hpp"
#include "http/blocking_pool.hpp"
#include "http/breached.hpp"
#include "http/caller.hpp"
#include "http/login_limiter.hpp"
#include "http/passwords.hpp"
#include "http/tickets.hpp"
#include "storage/identity.hpp"

namespace baraza::http {

struct auth_options {
  std::chrono::milliseconds access_live = std::chrono::minutes{15};
  std::chrono::milliseconds idle_live = std::chrono::minutes{30};  // between refreshes (ASVS 7.3)
  std::chrono::milliseconds absolute_live = std::chrono::hours{12};
  std::chrono::milliseconds guest_live =
      std::chrono::hours{24 * 30};  // idle and absolute: a guest cannot log in again
  std::chrono::milliseconds cache_live = std::chrono::seconds{30};
  passwords::cost password_cost;
  std::shared_ptr<const peppers> pepper;          // null: none
  std::shared_ptr<const breached_list> breached;  // null: none is refused
  login_limits account_limits;
  login_limits address_limits{.tries_per_minute = 60, .free_failures = 20};
  std::size_t password_threads = 2;
  std::size_t password_queue_max = 64;
  std::size_t store_threads = limits::store_threads;
};

/// A refusal as a route answers it.
struct auth_error {
  int status = 500;
  std::string_view code, sentence;
  std::uint32_t retry_ms = 0;
};
/// A new or renewed login.
struct issued {
  uuid player, login;
  std::string display, access, refresh;
  std::chrono::milliseconds access_live{};
  bool guest = false;
};
struct login_view {
  uuid login;
  std::string device;
  millis access_expires_at = 0, idle_expires_at = 0, absolute_expires_at = 0;
  bool current = false;
};
struct profile_view {
  uuid player;
  std::string display;
  bool guest = false;
  std::string name;  // masked
};

/// An operator's decision about a player; `by` is who and from where.
struct player_order {
  enum class action : std::uint8_t { logout, disable, enable };
  action what{};
  uuid player;
  std::string by;
};
struct player_verdict {
  bool is_news = false;  // false: it was so already
  std::uint32_t ended = 0;
};

template <class T>
using answer_to = std::function<void(std::variant<T, auth_error>)>;

class auth_service {
 public:
  using clock = std::function<millis()>;
  /// One line for the security log: "login_failed", "name=+25471*****78 address=…"; never a token
  /// or a password.
  using log = std::function<void(std::string_view event, const std::string& detail)>;
  using end_sessions = std::function<void(const uuid& player, const uuid* login)>;
  /// Keeps an operator's decision; blocks.
  using record = std::function<storage::status(const storage::incident&)>;

  /// @param keep empty: operators decide nothing here
  auth_service(auth_options options, storage::identity_store& store, end_sessions end, clock now,
               log write, record keep = {});
  ~auth_service();
  void stop();

  void guest(std::string display, std::string device, answer_to<issued> done);
  void enrol(std::string name, std::string password, std::string display, std::string device,
             answer_to<issued> done);
  void login(std::string name, std::string password, std::string device, const address& from,
             answer_to<issued> done);
  void refresh(std::string_view token, answer_to<issued> done);
  void logout(const caller& who, answer_to<std::uint32_t> done);
  void logout_everywhere(const caller& who, answer_to<std::uint32_t> done);
  void list(const caller& who, answer_to<std::vector<login_view>> done);
  void end(const caller& who, const uuid& login, answer_to<std::uint32_t> done);
  void profile(const caller& who, answer_to<profile_view> done);

  /// Records an operator's decision, then carries it out. Disabled: no password and no token is
  /// accepted, every connection ends; logins end, but those of a guest, who could never get in
  /// again, are only refused. What the player plays, plays on.
  void order(player_order what, answer_to<player_verdict> done);
  /// Another edge ended them: all of the player without `login`.
  void forget_logins(const uuid& player, const uuid* login) {
    cache_.end(login != nullptr ? *login : player, now_());
  }

  /// Who shows this access token. At once when the cache knows.
  void authenticate(std::string_view access, answer_to<caller> done);
  /// A single-use ticket; see tickets.
  std::string ticket(const caller& who) { return tickets_.issue(who, now_()); }
  std::optional<caller> redeem(std::string_view ticket);
  /// A line for the security log: a token that was shown and not accepted (ASVS 16.3). Never the
  /// token.
  void note_unauthorized(const address& from, std::string_view request_id) const {
    log_("token_refused", "address=" + from.to_string() + " request=" + std::string{request_id});
  }
  /// True if this login ended a moment ago: ask after a socket is attached.
  [[nodiscard]] bool is_ended(const caller& who) const { return cache_.is_ended(who); }
  [[nodiscard]] millis now() const { return now_(); }

 private:
  using issue_result = std::variant<issued, auth_error>;
  storage::login_session fresh_login(const uuid& player, bool guest, std::string device,
                                     issued& out) const;
  issue_result begin_login(const storage::identity& who, std::string device);
  issue_result try_login(const std::string& name, const std::string& password, std::string device);
  issue_result renew(const storage::digest& shown);
  std::variant<player_verdict, auth_error> carry_out(const player_order& what);
  void end_family(const storage::login_session& session, std::string_view why);
  auth_error store_error(const storage::error& why, std::string_view what) const;

  const auth_options options_;
  storage::identity_store& store_;
  const end_sessions end_;
  const clock now_;
  const log log_;
  const record record_;
  access_cache cache_;
  tickets tickets_;
  login_limiter accounts_, addresses_;
  const passwords::hasher hasher_;
  std::string dummy_hash_;
  blocking_pool passwords_, reads_;
};

}  // namespace baraza::http
