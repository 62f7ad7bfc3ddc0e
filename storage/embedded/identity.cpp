// Accounts of people and their logins. Writes go through the store's one writing connection, reads
// have their own.
#include "storage/identity.hpp"

#include "storage/embedded/shared.hpp"
#include "storage/limits.hpp"

namespace baraza::storage::embedded {
namespace {

constexpr char session_columns[] =
    "SELECT "
    "id,player,access,refresh,previous_refresh,access_expires_at,idle_expires_at,absolute_expires_"
    "at,device"
    " FROM login WHERE ";

std::string select_session(const char* condition) {
  return std::string{session_columns} + condition;
}

digest read_digest(const statement& s, int column) {
  digest d{};
  const auto raw = s.bytes(column);
  if (s.is_null(column)) return d;
  if (raw.size() != d.size())
    throw failure{errc::corrupt, "embedded store: a digest is not 32 bytes"};
  std::copy(raw.begin(), raw.end(), reinterpret_cast<char*>(d.data()));
  return d;
}

login_session read_session(const statement& s) {
  login_session found;
  found.id = s.key(0);
  found.player = s.key(1);
  found.access = read_digest(s, 2);
  found.refresh = read_digest(s, 3);
  found.previous_refresh = read_digest(s, 4);
  found.access_expires_at = s.integer(5);
  found.idle_expires_at = s.integer(6);
  found.absolute_expires_at = s.integer(7);
  found.device = s.text(8);
  return found;
}

identity read_identity(const statement& s) {
  identity who;
  who.player = s.key(0);
  if (!s.is_null(1)) who.name = s.text(1);
  who.display = s.text(2);
  who.password_hash = s.text(3);
  who.disabled = s.integer(4) != 0;
  who.created_at = s.integer(5);
  return who;
}

std::span<const std::uint8_t> span_of(const digest& d) { return d; }

/// The reading connection and its statements; made on first use, because open_identity has no way
/// to report an error.
struct read_side {
  explicit read_side(const std::string& file)
      : db{file, access::read, false},
        by_name{db.handle(),
                "SELECT player,name,display,password_hash,disabled,created_at FROM identity WHERE "
                "name=?"},
        by_player{db.handle(),
                  "SELECT player,name,display,password_hash,disabled,created_at FROM identity "
                  "WHERE player=?"},
        display{db.handle(), "SELECT display FROM identity WHERE player=?"},
        by_access{db.handle(), select_session("access=?")},
        by_refresh{db.handle(), select_session("refresh=?1 OR previous_refresh=?1")},
        of_player{db.handle(), select_session("player=? ORDER BY id")} {}
  connection db;
  statement by_name, by_player, display, by_access, by_refresh, of_player;
};

class embedded_identity final : public identity_store {
 public:
  explicit embedded_identity(std::shared_ptr<shared> common) : common_{std::move(common)} {}

  status create(const identity& who, const login_session& first) override {
    return change([&](connection& db) -> status {
      statement put{db.handle(),
                    "INSERT INTO identity(player,name,display,password_hash,disabled,created_at) "
                    "VALUES(?,?,?,?,?,?)"};
      const words display{who.display}, hash{who.password_hash};
      if (who.name)
        put.exec(who.player, words{*who.name}, display, hash, int{who.disabled}, who.created_at);
      else
        put.exec(who.player, nullptr, display, hash, int{who.disabled}, who.created_at);
      insert_session(db, first);
      return done{};
    });
  }

  result<identity> by_name(std::string_view name) override {
    return find<identity>(
        [&](read_side& r) { return one(r.by_name.run(words{name}), read_identity); });
  }

  result<identity> by_player(const uuid& player) override {
    return find<identity>(
        [&](read_side& r) { return one(r.by_player.run(player), read_identity); });
  }

  result<std::vector<std::string>> displays(std::span<const uuid> players) override {
    if (players.size() > read_keys_max) return error{errc::invalid, "too many keys in one call"};
    return find<std::vector<std::string>>([&](read_side& r) -> result<std::vector<std::string>> {
      std::vector<std::string> found;
      for (const auto& player : players) {
        reading use{r.display};
        found.push_back(r.display.run(player).step() ? r.display.text(0) : std::string{});
      }
      return found;
    });
  }

  status set_password_hash(const uuid& player, std::string_view hash) override {
    return change([&](connection& db) -> status {
      statement put{db.handle(), "UPDATE identity SET password_hash=? WHERE player=?"};
      if (put.exec(words{hash}, player) == 0) return error{errc::not_found, "no such player"};
      return done{};
    });
  }

  status set_disabled(const uuid& player, bool disabled) override {
    return change([&](connection& db) -> status {
      statement put{db.handle(), "UPDATE identity SET disabled=? WHERE player=?"};
      if (put.exec(int{disabled}, player) == 0) return error{errc::not_found, "no such player"};
      return done{};
    });
  }

  status add_session(const login_session& session) override {
    return change([&](connection& db) -> status {
      insert_session(db, session);
      return done{};
    });
  }

  result<login_session> by_access(const digest& access) override {
    return find<login_session>(
        [&](read_side& r) { return one(r.by_access.run(span_of(access)), read_session); });
  }

  result<login_session> by_refresh(const digest& refresh) override {
    return find<login_session>(
        [&](read_side& r) { return one(r.by_refresh.run(span_of(refresh)), read_session); });
  }

  status rotate(const login_session& renewed, const digest& expected_refresh) override {
    return change([&](connection& db) -> status {
      statement put{db.handle(),
                    "UPDATE login SET "
                    "access=?,refresh=?,previous_refresh=?,access_expires_at=?,idle_expires_at=?,"
                    "absolute_expires_at=?,device=? WHERE id=? AND refresh=?"};
      const auto expected = span_of(expected_refresh);
      if (put.exec(span_of(renewed.access), span_of(renewed.refresh), expected,
                   renewed.access_expires_at, renewed.idle_expires_at, renewed.absolute_expires_at,
                   words{renewed.device}, renewed.id, expected) == 0)
        return error{errc::seq_conflict, "the refresh token is no longer current"};
      return done{};
    });
  }

  result<std::vector<login_session>> sessions(const uuid& player) override {
    return find<std::vector<login_session>>(
        [&](read_side& r) -> result<std::vector<login_session>> {
          std::vector<login_session> found;
          reading use{r.of_player};
          r.of_player.run(player);
          while (r.of_player.step()) found.push_back(read_session(r.of_player));
          return found;
        });
  }

  status end_session(const uuid& session) override {
    return change([&](connection& db) -> status {
      statement{db.handle(), "DELETE FROM login WHERE id=?"}.exec(session);
      return done{};
    });
  }

  result<std::uint32_t> end_all(const uuid& player) override {
    std::uint32_t ended = 0;
    const auto answer = change([&](connection& db) -> status {
      ended = static_cast<std::uint32_t>(
          statement{db.handle(), "DELETE FROM login WHERE player=?"}.exec(player));
      return done{};
    });
    if (!answer) return answer.why();
    return ended;
  }

  status purge_expired(millis now) override {
    return change([&](connection& db) -> status {
      statement{db.handle(),
                "DELETE FROM login WHERE absolute_expires_at<=?1 OR idle_expires_at<=?1"}
          .exec(now);
      return done{};
    });
  }

 private:
  static void insert_session(connection& db, const login_session& s) {
    statement put{
        db.handle(),
        "INSERT INTO "
        "login(id,player,access,refresh,access_expires_at,idle_expires_at,absolute_expires_at,"
        "device) VALUES(?,?,?,?,?,?,?,?)"};
    put.exec(s.id, s.player, span_of(s.access), span_of(s.refresh), s.access_expires_at,
             s.idle_expires_at, s.absolute_expires_at, words{s.device});
  }

  /// One transaction on the writing connection; a broken uniqueness answers `exists`.
  template <class Work>
  status change(Work&& work) {
    return guarded<done>([&]() -> status {
      const std::lock_guard hold{common_->write};
      if (common_->read_only) return error{errc::invalid, "the store is open for reading only"};
      transaction t{*common_->db, access::write};
      auto answer = work(*common_->db);
      if (answer) t.commit();
      return answer;
    });
  }

  template <class T, class Work>
  result<T> find(Work&& work) {
    return guarded<T>([&]() -> result<T> {
      const std::lock_guard hold{mutex_};
      if (!read_) {
        connection probe{common_->file, access::read, false};
        require_schema(probe);
        read_ = std::make_unique<read_side>(common_->file);
      }
      return work(*read_);
    });
  }

  template <class Make>
  static auto one(statement& s, Make&& make) -> result<decltype(make(s))> {
    reading use{s};
    if (!s.step()) return error{errc::not_found, "nothing is stored under this name"};
    return make(s);
  }

  std::shared_ptr<shared> common_;
  std::mutex mutex_;  // of the reading side
  std::unique_ptr<read_side> read_;
};

}  // namespace

std::unique_ptr<identity_store> make_identity(std::shared_ptr<shared> common) {
  return std::make_unique<embedded_identity>(std::move(common));
}

}  // namespace baraza::storage::embedded
