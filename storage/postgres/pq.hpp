// A thin owner of libpq's connection for commits: binary parameters, and a deadline on every
// answer. libpqxx has neither, so writers use this; everything else in this folder uses libpqxx.
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace baraza::storage::postgres {

struct result_deleter {
  void operator()(PGresult* rows) const { PQclear(rows); }
};

/// What became of a statement. `lost` says nothing about whether it was applied.
struct reply {
  enum class outcome { rows, failed, lost } what = outcome::lost;
  std::unique_ptr<PGresult, result_deleter> rows;
  std::string sqlstate, message;
  bool warned = false;  // the server sent a WARNING: at commit this means a cancelled replication
                        // wait (rule A4)

  explicit operator bool() const { return what == outcome::rows; }
  [[nodiscard]] int size() const { return PQntuples(rows.get()); }
  [[nodiscard]] bool is_null(int row, int column) const {
    return PQgetisnull(rows.get(), row, column) != 0;
  }
  [[nodiscard]] const char* value(int row, int column) const {
    return PQgetvalue(rows.get(), row, column);
  }
  [[nodiscard]] std::string_view text(int row, int column) const {
    return {value(row, column), static_cast<std::size_t>(PQgetlength(rows.get(), row, column))};
  }
};

class session {
 public:
  session() = default;
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { close(); }

  /// Connects within the URL's connect_timeout. @returns empty, or why not (without secrets)
  std::string connect(const std::string& url);
  void close();
  [[nodiscard]] bool alive() const {
    return connection_ != nullptr && PQstatus(connection_) == CONNECTION_OK;
  }
  [[nodiscard]] int backend() const { return PQbackendPID(connection_); }

  /// Text parameters, text answer.
  reply query(const char* sql, std::initializer_list<std::string> parameters,
              std::chrono::milliseconds limit);
  reply prepare(const char* name, const char* sql, std::chrono::milliseconds limit);
  /// Binary parameters, binary answer.
  reply run(const char* name, const std::vector<std::string_view>& parameters,
            std::chrono::milliseconds limit);

 private:
  reply wait(std::chrono::milliseconds limit);
  static void take_notice(void* self, const PGresult* notice);

  PGconn* connection_ = nullptr;
  bool warned_ = false;
};

}  // namespace baraza::storage::postgres
