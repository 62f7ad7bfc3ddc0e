#include "tests/http/edge_fixture.hpp"

#include <catch2/catch_test_macros.hpp>

#include "http/msgpack.hpp"

namespace baraza::http::tests {

session_number recording_bridge::attach(const uuid& player, const uuid& login, std::string,
                                        std::weak_ptr<session_sink> sink) {
  const std::lock_guard lock{mutex_};
  sessions_[++next_] = {player, login, std::move(sink)};
  return next_;
}
void recording_bridge::detach(session_number session) {
  const std::lock_guard lock{mutex_};
  sessions_.erase(session);
}
void recording_bridge::handle(session_number session, wire::client_frame frame) {
  std::shared_ptr<session_sink> to;
  const auto id = frame.id;
  {
    const std::lock_guard lock{mutex_};
    handled_.push_back(std::move(frame));
    if (!is_silent) to = sessions_[session].sink.lock();
  }
  if (!to) return;
  to->deliver(std::make_shared<const std::string>(wire::ok_frame(id)));
  to->wake();
}
void recording_bridge::ask(const entity_id& to, actors::request what, std::string_view,
                           std::chrono::milliseconds,
                           std::function<void(const actors::answer&)> answered) {
  if (to.kind != entity_kind::wallet || !std::holds_alternative<actors::wallet_get>(what)) {
    return answered(actors::refused{"internal", "unexpected question"});
  }
  answered(actors::wallet_state{std::get<actors::wallet_get>(what).money, 100'000, 99'000, 7});
}
void recording_bridge::end_sessions(const uuid& player, const uuid* login) {
  std::vector<std::shared_ptr<session_sink>> ended;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [number, one] : sessions_) {
      if (one.player == player && (login == nullptr || *login == one.login)) {
        if (auto sink = one.sink.lock()) ended.push_back(std::move(sink));
      }
    }
  }
  for (const auto& one : ended) one->close(1008, "logged out");
}
void recording_bridge::hear_ended(ended_elsewhere hears) { hears_ = std::move(hears); }
void recording_bridge::tell_ended(const uuid& player, const uuid* login) {
  hears_(player, login);
  end_sessions(player, login);
}
void recording_bridge::go_away(std::uint32_t retry_ms) {
  std::string fields;
  pack::put_text(fields, "retry_ms");
  pack::put_unsigned(fields, retry_ms);
  push_to_all(std::make_shared<const std::string>(wire::push_frame("going_away", 1, fields)));
}
session_number recording_bridge::attached_ever() const {
  const std::lock_guard lock{mutex_};
  return next_;
}
std::size_t recording_bridge::sessions() const {
  const std::lock_guard lock{mutex_};
  return sessions_.size();
}
void recording_bridge::push_to_all(std::shared_ptr<const std::string> frame, int times) {
  std::vector<std::shared_ptr<session_sink>> all;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [number, one] : sessions_) {
      if (auto sink = one.sink.lock()) all.push_back(std::move(sink));
    }
  }
  for (int i = 0; i < times; ++i) {
    for (const auto& one : all) one->deliver(frame);
    for (const auto& one : all) one->wake();
  }
}
std::vector<wire::client_frame> recording_bridge::handled() const {
  const std::lock_guard lock{mutex_};
  return handled_;
}

edge_options server::quick() {
  edge_options o;
  o.port = o.admin_port = 0;
  o.auth.password_cost = {1, 8192 * 1024};
  o.auth.account_limits.tries_per_minute = 0;
  o.auth.address_limits.tries_per_minute = 0;
  return o;
}

server::server(edge_options options, edge_callbacks callbacks) {
  if (options.port == edge_options{}.port) options = quick();
  auto opened = storage::open("sqlite:" + (folder.path() / "store.db").string());
  REQUIRE(opened);
  store = std::move(*opened);
  REQUIRE(store->migrate(storage::schema_newest));
  identities = store->open_identity();
  reads = std::make_unique<cluster::read_pool>(*store, 1, 64);
  if (!callbacks.now) {
    callbacks.now = [this] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
                 .count() +
             skew;
    };
  }
  if (!callbacks.record)
    callbacks.record = [this](const storage::incident& what) {
      return store->record_incident(what);
    };
  callbacks.log = [this](std::string_view event, const std::string& detail) {
    const std::lock_guard lock{log_mutex};
    log.push_back(std::string{event} + " " + detail);
  };
  at =
      std::make_unique<edge>(std::move(options), actors, *identities, *reads, std::move(callbacks));
  const auto wrong = at->start();
  INFO(wrong.value_or(""));
  REQUIRE(!wrong);
}

server::~server() {
  at.reset();
  reads.reset();
}

std::string server::guest() const {
  const auto answer = ask(post("/v1/auth/guest", "{}"));
  REQUIRE(answer.status == 201);
  return text_in(answer.body, "access_token");
}

raw_client server::play(std::string_view subprotocol) const {
  const auto before = actors.attached_ever();
  auto client = connect();
  REQUIRE(client.upgrade(guest(), subprotocol).status == 101);
  REQUIRE(eventually([&] { return actors.attached_ever() > before; }));
  return client;
}

std::uint64_t server::metric(std::string_view line) const {
  std::string text;
  at->append_metrics(text);
  const auto found = text.find("\n" + std::string{line} + " ");
  return found == std::string::npos ? 0 : std::stoull(text.substr(found + line.size() + 2));
}

std::vector<std::string> server::log_lines() const {
  const std::lock_guard lock{log_mutex};
  return log;
}

}  // namespace baraza::http::tests
