#include "tests/integration/postgres_server.hpp"

#include <libpq-fe.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

namespace baraza::tests {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;
constexpr auto start_limit = std::chrono::seconds{30};
constexpr auto poll_every = std::chrono::milliseconds{10};

}  // namespace

// ---- server_folder ------------------------------------------------------------------------------

server_folder::server_folder(const fs::path& base) {
  std::string name =
      ((base.empty() ? fs::temp_directory_path() : base) / "baraza-server-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw std::runtime_error{"cannot create a folder like " + name};
  path_ = name;
  if (const auto* user = cluster::local::unprivileged_user();
      user != nullptr && chown(name.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error{"cannot give " + name + " to " + user->pw_name};
}

server_folder::~server_folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

// ---- postgres_server ----------------------------------------------------------------------------

postgres_server& postgres_server::shared() {
  static postgres_server server;
  return server;
}

std::string postgres_server::create_database() {
  const auto name = "test_" + std::to_string(++databases_);
  sql("postgres", "create database " + name);
  return name;
}

void postgres_server::drop_database(const std::string& name) {
  sql("postgres", "drop database if exists " + name + " with (force)");
}

std::string postgres_server::sql(const std::string& database, const std::string& text) const {
  return sql_at(url(database), text);
}

std::string sql_at(const std::string& url, const std::string& text) {
  return sql_session{url}(text);
}

sql_session::sql_session(const std::string& url) : connection_{PQconnectdb(url.c_str())} {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error{PQerrorMessage(connection_.get())};
}
void sql_session::closed::operator()(pg_conn* connection) const { PQfinish(connection); }

std::string sql_session::operator()(const std::string& text) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> rows{PQexec(connection_.get(), text.c_str()),
                                                           &PQclear};
  const auto status = PQresultStatus(rows.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    throw std::runtime_error{PQerrorMessage(connection_.get())};
  return status == PGRES_TUPLES_OK && PQntuples(rows.get()) > 0 ? PQgetvalue(rows.get(), 0, 0) : "";
}

// ---- pgbouncer ----------------------------------------------------------------------------------

pgbouncer::pgbouncer(const postgres_server& server) : server_{server}, port_{free_port()} {
  const auto ini = folder_.path() / "pgbouncer.ini";
  std::ofstream{ini} << "[databases]\n* = host=127.0.0.1 port=" << server.port()
                     << " user=baraza\n[pgbouncer]\n"
                     << "listen_addr = 127.0.0.1\nlisten_port = " << port_
                     << "\nunix_socket_dir =\nauth_type = any\n"
                     << "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = "
                        "100\nquery_timeout = 10\n";
  const auto program = cluster::local::find_program("pgbouncer");
  if (!program) throw std::runtime_error{"pgbouncer is not installed"};
  process_.start({*program, ini},
                 {.log = folder_.path() / "pgbouncer.log", .unprivileged = true, .unset = {}});
  const auto deadline = clock::now() + start_limit;
  while (PQping(url("postgres").c_str()) != PQPING_OK) {
    if (!process_.is_running() || clock::now() > deadline) {
      std::ifstream file{folder_.path() / "pgbouncer.log"};
      throw std::runtime_error{"the test's PgBouncer does not answer: " +
                               std::string{std::istreambuf_iterator<char>{file}, {}}};
    }
    std::this_thread::sleep_for(poll_every);  // polls: until the deadline
  }
}

std::string pgbouncer::url(const std::string& database) const {
  return server_.url_through(port_, database);
}

}  // namespace baraza::tests
