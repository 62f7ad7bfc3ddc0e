// libFuzzer target: any bytes as one player's connection, through the session itself: gate, parser,
// router, handlers, accounts and the embedded store, and WebSocket after an upgrade. Only socket
// and actors are left out. The first byte says in which pieces the rest arrives (its highest bit:
// whether a piece ends with each blank line, as a WebSocket client's does); bytes 1 to 4 stand
// for a live access token, its refresh token, a WebSocket ticket and the login's id, which no
// mutation would guess. Checked: what leaves is well-formed HTTP, no request makes the server fail,
// nothing private is told without a token, and each connection ends.
#include <boost/json/parse.hpp>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>

#include "cluster/read_pool.hpp"
#include "http/http_session.hpp"
#include "http/routes.hpp"
#include "storage/identity.hpp"
#include "tests/fuzz/memory_stream.hpp"
#include "tests/storage/temporary_folder.hpp"

namespace {

using namespace baraza;
using namespace baraza::http;
using namespace std::chrono_literals;

constexpr int runs_per_world = 20'000;  // then a new store: an old one's rows would only slow it
constexpr auto connection_time = 8s;    // by then each has ended by itself

[[noreturn]] void fail(const char* what, const std::string& out) {
  std::fprintf(stderr, "http_routes: %s\n%s\n", what, out.c_str());
  std::abort();
}

/// Stands in for the actors: answers at once.
class quick_bridge final : public bridge {
 public:
  session_number attach(const uuid&, const uuid&, std::string,
                        std::weak_ptr<session_sink> sink) override {
    const std::lock_guard lock{mutex_};
    sink_ = std::move(sink);  // one connection at a time
    return ++last_;
  }
  void detach(session_number) override {}
  void handle(session_number, wire::client_frame frame) override {
    const std::lock_guard lock{mutex_};
    if (const auto to = sink_.lock())
      to->deliver(std::make_shared<const std::string>(wire::ok_frame(frame.id)));
  }
  void ask(const entity_id&, actors::request what, std::string_view, std::chrono::milliseconds,
           std::function<void(const actors::answer&)> answered) override {
    answered(actors::wallet_state{std::get<actors::wallet_get>(what).money, 100'000, 99'000, 7});
  }
  void end_sessions(const uuid&, const uuid*) override {
    const std::lock_guard lock{mutex_};
    if (const auto to = sink_.lock()) to->close(1008, "logged out");
  }
  void hear_ended(ended_elsewhere) override {}
  void go_away(std::uint32_t) override {}
  [[nodiscard]] std::size_t sessions() const override { return 0; }

 private:
  std::mutex mutex_;
  std::weak_ptr<session_sink> sink_;
  session_number last_ = 0;
};

edge_options quick() {
  edge_options o;
  o.hosts = {"localhost"};
  o.header_time = o.body_time = o.keep_alive_time = o.write_time = o.upgrade_time = o.hello_time =
      1s;  // the wheel lets go of ended sessions only then
  o.close_time = 1ms;
  o.auth.password_cost = {1, 8192};
  o.auth.account_limits.tries_per_minute = o.auth.address_limits.tries_per_minute = 0;
  o.auth.password_threads = o.auth.store_threads = 1;
  return o;
}

millis now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The whole edge but its sockets and actors, and a player who is logged in.
struct world {
  world() {
    auto opened = storage::open("sqlite:" + (folder.path() / "store.db").string());
    if (!opened || !(*opened)->migrate(storage::schema_newest)) fail("no store", "");
    store = std::move(*opened);
    identities = store->open_identity();
    reads = std::make_unique<cluster::read_pool>(*store, 1, 64);
    accounts = std::make_unique<auth_service>(
        shared.options.auth, *identities,
        [this](const uuid& player, const uuid* login) { actors.end_sessions(player, login); }, now,
        [](std::string_view, const std::string&) {});
    shared.to = &actors;
    shared.accounts = accounts.get();
    shared.trusted.push_back(*address_range::parse("127.0.0.0/8"));
    edge_callbacks callbacks;
    callbacks.match_record =
        callbacks.match_proof = [](const uuid&, const std::vector<storage::journal_event>&) {
          return std::optional<std::string>{"{}"};
        };
    std::vector<route> table;
    add_auth_routes(table, shared);
    add_player_routes(table, shared, *reads, callbacks);
    routes = std::make_unique<router>(std::move(table), accounts.get());
    thread.start();
  }
  ~world() {
    accounts->stop();
    reads->stop();
    thread.stop();
  }

  /// A player whose tokens still work.
  void log_in() {
    if (!spent && !login.access.empty()) {
      std::promise<bool> known;
      accounts->authenticate(login.access, [&](std::variant<caller, auth_error> who) {
        if (auto* is = std::get_if<caller>(&who)) self = std::move(*is);
        known.set_value(std::holds_alternative<caller>(who));
      });
      if (known.get_future().get()) return;
    }
    std::promise<issued> made;
    accounts->guest("Fuzz", "", [&](std::variant<issued, auth_error> out) {
      if (!std::holds_alternative<issued>(out)) fail("no guest", "");
      made.set_value(std::get<issued>(std::move(out)));
    });
    login = made.get_future().get();
    spent = false;
    self = {login.player, login.login, login.display, now() + 60'000, now() + 60'000};
  }

  std::string with_secrets(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
      if (c == 1) {
        out += login.access;
      } else if (c == 2) {
        out += login.refresh;
        spent = true;  // it may be rotated away, so that its next use would end the login
      } else if (c == 3) {
        out += accounts->ticket(self);
      } else if (c == 4) {
        out += login.login.to_string();
      } else {
        out += c;
      }
    }
    return out;
  }

  /// All that the server writes on a connection that sends `bytes` and ends.
  std::string connect(std::string bytes, std::uint8_t pieces) {
    const auto piece = (pieces & 0x7F) == 0 ? std::size_t{4096} : std::size_t{pieces & 0x7FU};
    std::optional<std::string> out;
    const auto finished = [this, &out](std::string what) {
      const std::lock_guard lock{mutex};
      out = std::move(what);
      ended.notify_one();
    };
    auto pipe =
        std::make_shared<fuzz::memory_pipe>(thread.context(), std::move(bytes), piece, finished);
    pipe->halts = (pieces & 0x80) != 0;
    thread.post([this, pipe = std::move(pipe)]() mutable {
      shared.sockets.fetch_add(1);
      thread.counters().sockets_open.add();
      const session_origin origin{shared, thread, *routes, true};
      std::make_shared<http_session<fuzz::memory_stream>>(
          origin, fuzz::memory_stream{std::move(pipe)},
          socket_place{shared, thread.counters(), *address::parse("127.0.0.1")})
          ->read_request();
    });
    std::unique_lock lock{mutex};
    if (!ended.wait_for(lock, connection_time, [&] { return out.has_value(); }))
      fail("a connection does not end", "");
    return std::move(*out);
  }

  tests::temporary_folder folder;
  quick_bridge actors;
  std::unique_ptr<storage::store> store;
  std::unique_ptr<storage::identity_store> identities;
  std::unique_ptr<cluster::read_pool> reads;
  edge_shared shared{quick()};
  std::unique_ptr<auth_service> accounts;
  std::unique_ptr<router> routes;
  issued login;
  caller self;
  bool spent = false;
  std::mutex mutex;
  std::condition_variable ended;
  io_thread thread;
};

std::string_view field(std::string_view head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string{name} + ": ");
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

/// Takes one answer off the front. @returns false if nothing more may follow as HTTP
bool check_answer(std::string_view& rest, const std::string& all) {
  const auto end = rest.find("\r\n\r\n");
  if (!rest.starts_with("HTTP/1.1 ") || end == std::string_view::npos) fail("no answer", all);
  const auto head = rest.substr(0, end + 2);
  rest.remove_prefix(end + 4);
  for (std::size_t i = 0; i < head.size(); ++i) {
    const bool line_end = head[i] == '\r' && head[i + 1] == '\n';
    if (line_end) ++i;
    if (!line_end && (head[i] < 0x20 || head[i] > 0x7E)) fail("a byte no header has", all);
  }
  const int status = std::atoi(std::string{head.substr(9, 3)}.c_str());
  if (status == 101) return false;  // frames follow
  if (status < 200 || status == 500 || status > 504) fail("a status nothing asked for", all);
  if (field(head, "X-Content-Type-Options") != "nosniff") fail("no security fields", all);
  const auto length = std::strtoul(std::string{field(head, "Content-Length")}.c_str(), nullptr, 10);
  if (rest.starts_with("{")) {  // else it was a HEAD
    if (rest.size() < length) fail("a body cut short", all);
    boost::system::error_code why;
    boost::json::parse(boost::json::string_view{rest.data(), length}, why);
    if (why) fail("a body that is no JSON", all);
    rest.remove_prefix(length);
  }
  return field(head, "Connection") != "close";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // In memory where there is such a folder: syncing to disk is another test's matter.
  static const bool in_memory =
      ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 1);
  static auto at = std::make_unique<world>();
  static int runs = 0;
  (void)in_memory;
  if (++runs % runs_per_world == 0) {
    at.reset();
    at = std::make_unique<world>();
  }
  if (size == 0) return 0;
  at->log_in();
  const auto input = at->with_secrets({reinterpret_cast<const char*>(data) + 1, size - 1});
  const bool showed_token = input.find(at->login.access) != std::string::npos;
  const auto out = at->connect(input, data[0]);

  std::string_view rest{out};
  bool more = true;
  while (more && !rest.empty()) more = check_answer(rest, out);
  if (!more && !rest.empty() && out.find("HTTP/1.1 101 ") == std::string::npos)
    fail("an answer after the last", out);
  if (!showed_token)
    for (const auto* secret : {"\"balance\"", "\"sessions\"", "\"transfers\"", "\"ticket\""})
      if (out.find(secret) != std::string::npos) fail("told without a token", out);
  return 0;
}
