#include "storage/postgres/identity.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "storage/limits.hpp"
#include "storage/postgres/connect.hpp"
#include "storage/postgres/database.hpp"

namespace baraza::storage::postgres {
namespace {

constexpr std::size_t connections_max = 4;  // identities are read at login, not per move

identity as_identity(const pqxx::row& row) {
  identity who;
  who.player = as_uuid(row[0]);
  if (!row[1].is_null()) who.name = row[1].as<std::string>();
  who.display = row[2].as<std::string>();
  who.password_hash = row[3].as<std::string>();
  who.disabled = row[4].as<bool>();
  who.created_at = row[5].as<millis>();
  return who;
}
constexpr const char* identity_columns =
    "player, name, display, password_hash, disabled, created_at";

digest as_digest(const pqxx::field& field) {
  const auto bytes = as_bytes(field);
  digest value{};
  if (bytes.size() != value.size()) throw pqxx::conversion_error{"not a digest"};
  std::copy(bytes.begin(), bytes.end(), value.begin());
  return value;
}
pqxx::bytes_view bytes_of(const digest& value) {
  return {reinterpret_cast<const std::byte*>(value.data()), value.size()};
}

login_session as_session(const pqxx::row& row) {
  return {as_uuid(row[0]),     as_uuid(row[1]),     as_digest(row[2]),
          as_digest(row[3]),   as_digest(row[4]),   row[5].as<millis>(),
          row[6].as<millis>(), row[7].as<millis>(), row[8].as<std::string>()};
}
constexpr const char* session_columns =
    "id, player, access, refresh, previous_refresh, access_expires_at, idle_expires_at, "
    "absolute_expires_at, device";

void insert_session(pqxx::transaction_base& work, const login_session& s) {
  work.exec(
      "insert into login_session (id, player, access, refresh, previous_refresh, "
      "access_expires_at, idle_expires_at, "
      "absolute_expires_at, device) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      pqxx::params{s.id.to_string(), s.player.to_string(), bytes_of(s.access), bytes_of(s.refresh),
                   bytes_of(s.previous_refresh), s.access_expires_at, s.idle_expires_at,
                   s.absolute_expires_at, s.device});
}

/// The connections, and the three shapes of a call.
class connection_pool {
 protected:
  /// Hands out an idle connection; waits for one. The wait is bounded by the statement time-outs of
  /// those that hold them.
  template <class Use>
  auto borrow(Use use) {
    std::unique_ptr<database> mine;
    {
      std::unique_lock guard{mutex_};
      returned_.wait(guard, [&] { return !idle_.empty(); });
      mine = std::move(idle_.back());
      idle_.pop_back();
    }
    auto answer = use(*mine);
    {
      const std::lock_guard guard{mutex_};
      idle_.push_back(std::move(mine));
    }
    returned_.notify_one();
    return answer;
  }
  template <class Read>
  auto read(Read what) {
    return borrow([&](database& db) {
      return db.repeatable([&](pqxx::connection& connection) {
        pqxx::nontransaction work{connection};
        return what(work);
      });
    });
  }
  template <class Value, class Convert>
  result<Value> one(const std::string& sql, const pqxx::params& parameters, Convert convert) {
    auto found = read([&](pqxx::nontransaction& work) -> std::optional<Value> {
      const auto rows = work.exec(sql, parameters);
      return rows.empty() ? std::nullopt : std::optional<Value>{convert(rows[0])};
    });
    if (!found) return found.why();
    if (!*found) return error{errc::not_found, "no such identity or session"};
    return std::move(**found);
  }
  /// @param nothing the error when no row changed; none: that is fine
  status change(const std::string& sql, const pqxx::params& parameters, errc nothing) {
    auto rows = borrow([&](database& db) {
      return db.once([&](pqxx::connection& connection) {
        pqxx::nontransaction work{connection};
        return work.exec(sql, parameters).affected_rows();
      });
    });
    if (!rows) return rows.why();
    if (*rows == 0 && nothing != errc::none) return error{nothing, "nothing to change"};
    return done{};
  }

  std::vector<std::unique_ptr<database>> idle_;

 private:
  std::mutex mutex_;
  std::condition_variable returned_;
};

class pg_identity_store final : public identity_store, connection_pool {
 public:
  pg_identity_store(const std::string& url, const timing& times,
                    const std::shared_ptr<server_memory>& server) {
    for (std::size_t i = 0; i < connections_max; ++i)
      idle_.push_back(std::make_unique<database>(url, "baraza-identity", times.statement, server));
  }

  status create(const identity& who, const login_session& first) override {
    return borrow([&](database& db) {
      return db.once([&](pqxx::connection& connection) {
        pqxx::work work{connection};
        work.exec(
            "insert into identity (player, name, display, password_hash, disabled, created_at) "
            "values ($1, $2, $3, $4, $5, $6)",
            pqxx::params{who.player.to_string(), who.name, who.display, who.password_hash,
                         who.disabled, who.created_at});
        insert_session(work, first);
        work.commit();
        return done{};
      });
    });
  }
  result<identity> by_name(std::string_view name) override {
    return one<identity>(
        std::string{"select "} + identity_columns + " from identity where name = $1",
        pqxx::params{name}, as_identity);
  }
  result<identity> by_player(const uuid& player) override {
    return one<identity>(
        std::string{"select "} + identity_columns + " from identity where player = $1",
        pqxx::params{player.to_string()}, as_identity);
  }
  result<std::vector<std::string>> displays(std::span<const uuid> players) override {
    if (players.size() > read_keys_max) return error{errc::invalid, "too many keys in one read"};
    return read([&](pqxx::nontransaction& work) {
      std::vector<std::string> names;
      for (const auto& row : work.exec(
               "select coalesce(i.display, '') from unnest($1::uuid[]) with ordinality as w (id, "
               "i) "
               "left join identity i on i.player = w.id order by w.i",
               pqxx::params{array_literal(players, [](const uuid& id) { return id.to_string(); })}))
        names.push_back(row[0].as<std::string>());
      return names;
    });
  }
  status set_password_hash(const uuid& player, std::string_view hash) override {
    return change("update identity set password_hash = $2 where player = $1",
                  pqxx::params{player.to_string(), hash}, errc::not_found);
  }
  status set_disabled(const uuid& player, bool disabled) override {
    return change("update identity set disabled = $2 where player = $1",
                  pqxx::params{player.to_string(), disabled}, errc::not_found);
  }

  status add_session(const login_session& session) override {
    return borrow([&](database& db) {
      return db.once([&](pqxx::connection& connection) {
        pqxx::nontransaction work{connection};
        insert_session(work, session);
        return done{};
      });
    });
  }
  result<login_session> by_access(const digest& access) override {
    return one<login_session>(
        std::string{"select "} + session_columns + " from login_session where access = $1",
        pqxx::params{bytes_of(access)}, as_session);
  }
  result<login_session> by_refresh(const digest& refresh) override {
    if (refresh == digest{})
      return error{errc::not_found,
                   "no such identity or session"};  // previous_refresh of a new login
    return one<login_session>(std::string{"select "} + session_columns +
                                  " from login_session where refresh = $1 or previous_refresh = $1 "
                                  "order by refresh = $1 desc limit 1",
                              pqxx::params{bytes_of(refresh)}, as_session);
  }
  status rotate(const login_session& renewed, const digest& expected_refresh) override {
    return change(
        "update login_session set access = $3, refresh = $4, previous_refresh = $2, "
        "access_expires_at = $5, idle_expires_at = $6, "
        "absolute_expires_at = $7, device = $8 where id = $1 and refresh = $2",
        pqxx::params{renewed.id.to_string(), bytes_of(expected_refresh), bytes_of(renewed.access),
                     bytes_of(renewed.refresh), renewed.access_expires_at, renewed.idle_expires_at,
                     renewed.absolute_expires_at, renewed.device},
        errc::seq_conflict);
  }
  result<std::vector<login_session>> sessions(const uuid& player) override {
    return read([&](pqxx::nontransaction& work) {
      std::vector<login_session> all;
      for (const auto& row : work.exec(std::string{"select "} + session_columns +
                                           " from login_session where player = $1 order by id",
                                       pqxx::params{player.to_string()}))
        all.push_back(as_session(row));
      return all;
    });
  }
  status end_session(const uuid& session) override {
    return change("delete from login_session where id = $1", pqxx::params{session.to_string()},
                  errc::none);
  }
  result<std::uint32_t> end_all(const uuid& player) override {
    return read([&](pqxx::nontransaction& work) {
      return static_cast<std::uint32_t>(
          work.exec("delete from login_session where player = $1", pqxx::params{player.to_string()})
              .affected_rows());
    });
  }
  status purge_expired(millis now) override {
    return change(
        "delete from login_session where idle_expires_at <= $1 or absolute_expires_at <= $1",
        pqxx::params{now}, errc::none);
  }
};

}  // namespace

std::unique_ptr<identity_store> make_identity(const std::string& url, const timing& times,
                                              std::shared_ptr<server_memory> server) {
  return std::make_unique<pg_identity_store>(url, times, server);
}

}  // namespace baraza::storage::postgres
