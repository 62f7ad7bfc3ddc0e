// Rule of the house: what a player has seen survives SIGKILL. The real binary, real sockets, a real
// store.
#include <catch2/catch_test_macros.hpp>

#include <signal.h>

#include <random>

#include "http/client/fields.hpp"
#include "http/wire.hpp"
#include "tests/integration/postgres_server.hpp"
#include "tests/integration/real_process.hpp"

using namespace baraza;
using namespace std::chrono_literals;
namespace fields = baraza::client::fields;
using baraza::tests::eventually;
using baraza::tests::real_process;

namespace {

constexpr int kills = 20;
constexpr auto start_limit = 60s;  // a loaded machine replays journals slowly

struct folder {
  std::filesystem::path path;
  folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "baraza-kill-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

/// `baraza serve` on fixed ports and data, which can be killed and comes back.
class server {
 public:
  server(const folder& where, const std::vector<std::string>& store)
      : where_{where},
        port_{tests::free_port()},
        command_{BARAZA_BINARY, "serve",
                 "--http",      "127.0.0.1:" + std::to_string(port_),
                 "--admin",     "127.0.0.1:" + std::to_string(tests::free_port())} {
    command_.insert(command_.end(), store.begin(), store.end());
  }

  void start() {
    log_ = where_.path / ("serve-" + std::to_string(++starts_) + ".log");
    process_.emplace(command_, log_);
    const bool ready = eventually(start_limit, [this] {
      return process_->output().find("Baraza is ready") != std::string::npos ||
             !process_->is_running();
    });
    INFO(process_->output());
    REQUIRE(ready);
    REQUIRE(process_->is_running());
  }
  void kill() { REQUIRE(process_->kill()); }
  [[nodiscard]] std::string url() const {
    return "ws://127.0.0.1:" + std::to_string(port_) + "/v1/play";
  }
  [[nodiscard]] std::string output() const { return process_->output(); }

 private:
  const folder& where_;
  int port_;
  std::vector<std::string> command_;
  std::filesystem::path log_;
  std::optional<real_process> process_;
  int starts_ = 0;
};

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const auto begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

void verify_ledger(const folder& where, const std::vector<std::string>& store) {
  std::vector<std::string> command{BARAZA_BINARY, "ledger", "verify"};
  command.insert(command.end(), store.end() - 2, store.end());
  real_process verify{command, where.path / "verify.log"};
  const auto code = verify.wait(120s);
  INFO(verify.output());
  REQUIRE(code == 0);
}

/// @param store flags of `serve`; the last of them alone is what `ledger verify` needs
void survive_kills(const std::vector<std::string>& store, const folder& where) {
  server at{where, store};
  at.start();
  real_process load{{BARAZA_BINARY, "load", "--url", at.url(), "--tables", "20", "--seconds",
                     "86400", "--best-of", "7", "--verify", "--json"},
                    where.path / "load.log"};
  std::mt19937 random{std::random_device{}()};
  for (int i = 0; i < kills; ++i) {
    CAPTURE(i);
    // polls: nothing; the moment of the kill is random.
    // Long enough for clients to be back and playing, short enough to hit every phase of a match.
    std::this_thread::sleep_for(std::chrono::milliseconds{200 + random() % 1300});
    INFO(load.output());
    REQUIRE(load.is_running());
    at.kill();
    at.start();
  }
  std::this_thread::sleep_for(2s);  // the last survivors play on
  load.signal(SIGINT);
  const auto code = load.wait(240s);
  const std::string said = load.output();
  INFO(said);
  INFO(at.output());
  REQUIRE(code);
  const auto report = http::wire::from_json(last_line(said));
  REQUIRE(report);
  const auto count = [&](std::string_view name) {
    return fields::number(fields::find(*report, name), UINT64_MAX);
  };
  const auto errors = fields::find(*report, "errors");
  CHECK(count("lost") == 0);
  CHECK(count("verified") == count("acknowledged"));
  CHECK(count("acknowledged") > 1000);
  CHECK(count("matches") > 50);
  CHECK(count("reconnects") >= 40 * (kills / 2));  // a kill may come before some bots are back
  // Every bot draws as soon as it may: a forfeit, or stakes given back, could only be the server's
  // absence.
  CHECK(fields::find(errors, "ended_forfeit").empty());
  CHECK(fields::find(errors, "ended_both_absent").empty());
  CHECK(fields::find(errors, "voided").empty());
  CHECK(fields::find(errors, "gone").empty());
  CHECK(*code == 0);
  verify_ledger(where, store);
}

}  // namespace

TEST_CASE("twenty SIGKILLs of the server lose no acknowledged action: embedded store", "[kill]") {
  const folder where;
  survive_kills({"--data", (where.path / "data").string()}, where);
}

TEST_CASE("twenty SIGKILLs of the server lose no acknowledged action: PostgreSQL", "[kill]") {
  const folder where;
  auto& postgres = tests::postgres_server::shared();
  const std::string database = postgres.create_database();
  survive_kills({"--data", (where.path / "data").string(), "--store", postgres.url(database)},
                where);
}
