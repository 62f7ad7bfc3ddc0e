#include "storage/embedded/sqlite.hpp"

#include <sqlite3.h>

#include <cstring>

namespace baraza::storage::embedded {
namespace {

constexpr int busy_ms =
    5000;  // readers may meet a checkpoint that restarts the log; longer is a fault

errc classify(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_CONSTRAINT:
      return errc::exists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return errc::corrupt;
    case SQLITE_TOOBIG:
      return errc::invalid;
    default:
      return errc::unavailable;  // FULL, IOERR, BUSY, CANTOPEN, READONLY, NOMEM: nothing was
                                 // applied
  }
}

[[noreturn]] void fail(sqlite3* db, int code, std::string_view doing) {
  const int extended = db ? sqlite3_extended_errcode(db) : code;
  std::string what{"embedded store: "};
  what.append(doing).append(": ").append(db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  what.append(" (").append(std::to_string(extended)).append(")");
  throw failure{classify(extended), what};
}

}  // namespace

void statement::finalizer::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

statement::statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) fail(db, code, "prepare");
  stmt_.reset(raw);
}

bool statement::step() {
  const int code = sqlite3_step(stmt_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  auto* db = sqlite3_db_handle(stmt_.get());
  const int extended = sqlite3_extended_errcode(db);
  const std::string message = sqlite3_errmsg(db);
  sqlite3_reset(stmt_.get());
  throw failure{classify(extended),
                "embedded store: " + message + " (" + std::to_string(extended) + ")"};
}

void statement::reset() { sqlite3_reset(stmt_.get()); }

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(stmt_.get(), column);
}

std::string_view statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(stmt_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column));
  return data ? std::string_view{static_cast<const char*>(data), size} : std::string_view{};
}

bool statement::is_null(int column) const {
  return sqlite3_column_type(stmt_.get(), column) == SQLITE_NULL;
}

uuid statement::key(int column) const {
  const auto raw = bytes(column);
  uuid id;
  if (raw.size() != id.bytes.size())
    throw failure{errc::corrupt, "embedded store: a key is not 16 bytes"};
  std::memcpy(id.bytes.data(), raw.data(), raw.size());
  return id;
}

void statement::bind(int at, std::int64_t value) { sqlite3_bind_int64(stmt_.get(), at, value); }

void statement::bind(int at, const uuid& value) {
  sqlite3_bind_blob(stmt_.get(), at, value.bytes.data(), static_cast<int>(value.bytes.size()),
                    SQLITE_STATIC);
}

void statement::bind(int at, std::string_view blob) {
  // An empty blob must not become NULL, hence the non-null address.
  const void* data = blob.empty() ? "" : blob.data();
  if (sqlite3_bind_blob64(stmt_.get(), at, data, blob.size(), SQLITE_STATIC) != SQLITE_OK)
    throw failure{errc::invalid, "embedded store: a value is too large"};
}

void statement::bind(int at, std::span<const std::uint8_t> blob) {
  bind(at, std::string_view{reinterpret_cast<const char*>(blob.data()), blob.size()});
}

void statement::bind(int at, const words& text) {
  const char* data = text.value.empty() ? "" : text.value.data();
  if (sqlite3_bind_text64(stmt_.get(), at, data, text.value.size(), SQLITE_STATIC, SQLITE_UTF8) !=
      SQLITE_OK)
    throw failure{errc::invalid, "embedded store: a text is too large"};
}

void statement::bind(int at, std::nullptr_t) { sqlite3_bind_null(stmt_.get(), at); }

int statement::changes() const { return sqlite3_changes(sqlite3_db_handle(stmt_.get())); }

void connection::closer::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

connection::connection(const std::string& file, access how, bool create) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= how == access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (create && how == access::write) flags |= SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  db_.reset(raw);
  if (code != SQLITE_OK) fail(raw, code, "open " + file);
  sqlite3_busy_timeout(raw, busy_ms);
  if (how == access::read) {
    exec("PRAGMA query_only=1; PRAGMA cache_size=-8192;");
    return;
  }
  // FULL syncs the log at every commit: what was acknowledged survives a power cut. The log is
  // folded back every 32,000 pages (128 MiB), so that a page which many batches change is written
  // home once, not each time.
  exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=32000;"
      "PRAGMA journal_size_limit=268435456; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;");
}

void connection::exec(const char* sql) {
  char* message = nullptr;
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, &message);
  sqlite3_free(message);
  if (code != SQLITE_OK) fail(db_.get(), code, "run");
}

bool connection::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

transaction::transaction(connection& db, access how) : db_{db} {
  db_.exec(how == access::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

transaction::~transaction() {
  // SQLite itself has rolled back after some errors (disk full).
  if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  const int code = sqlite3_exec(db_.handle(), "COMMIT", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return;
  const int extended = sqlite3_extended_errcode(db_.handle());
  const std::string message = sqlite3_errmsg(db_.handle());
  // A failed write leaves the commit frame out of the log. A failed fsync may leave it in: after a
  // crash it could come back.
  const bool doubtful = extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;
  throw failure{doubtful ? errc::unknown : classify(extended),
                "embedded store: commit: " + message};
}

entity_key::entity_key(const entity_id& id) {
  bytes_[0] = static_cast<char>(id.kind);
  std::memcpy(bytes_ + 1, id.key.bytes.data(), id.key.bytes.size());
}

entity_id entity_key::parse(std::string_view bytes) {
  entity_id id;
  if (bytes.size() != sizeof bytes_)
    throw failure{errc::corrupt, "embedded store: an entity is not 17 bytes"};
  id.kind = static_cast<entity_kind>(bytes[0]);
  std::memcpy(id.key.bytes.data(), bytes.data() + 1, id.key.bytes.size());
  return id;
}

}  // namespace baraza::storage::embedded
