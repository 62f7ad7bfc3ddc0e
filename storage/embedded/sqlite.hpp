// A thin, throwing skin over SQLite's C interface. `failure` never leaves storage/embedded:
// guarded() turns it into an error.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "storage/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace baraza::storage::embedded {

struct failure : std::runtime_error {
  failure(errc c, const std::string& what) : std::runtime_error{what}, code{c} {}
  errc code;
};

/// A prepared statement, kept for the life of its connection. Use: run(args…), then step() until
/// false; the next run resets it.
class statement {
 public:
  statement(sqlite3* db, std::string_view sql);

  /// Resets, binds the arguments from 1 on. Text, blobs and keys must outlive the stepping: they
  /// are not copied.
  template <class... Args>
  statement& run(Args&&... args) {
    static_assert(((std::is_lvalue_reference_v<Args> ||
                    !std::is_same_v<std::remove_cvref_t<Args>, uuid>)&&...),
                  "a temporary key is gone before the first step");
    reset();
    int at = 0;
    (bind(++at, args), ...);
    return *this;
  }
  /// run() and step to the end; for statements without rows. @returns the rows changed
  template <class... Args>
  int exec(const Args&... args) {
    run(args...);
    step();
    const int changed = changes();
    reset();
    return changed;
  }
  /// @returns whether there is a row. Throws failure.
  bool step();
  void reset();  // ends the read: an open statement would hold a snapshot

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  [[nodiscard]] std::string_view bytes(int column) const;  // until the next step or reset
  [[nodiscard]] std::string text(int column) const { return std::string{bytes(column)}; }
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] uuid key(int column) const;

 private:
  void bind(int at, std::int64_t value);
  void bind(int at, std::uint64_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::uint32_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, int value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, const uuid& value);
  void bind(int at, std::string_view blob);
  void bind(int at, std::span<const std::uint8_t> blob);
  void bind(int at, const struct words& text);
  void bind(int at, std::nullptr_t);
  [[nodiscard]] int changes() const;

  struct finalizer {
    void operator()(sqlite3_stmt* s) const;
  };
  std::unique_ptr<sqlite3_stmt, finalizer> stmt_;
};

/// Binds as TEXT rather than as a blob.
struct words {
  std::string_view value;
};

/// Resets a statement when the reading is over, also when it ends by an exception.
class reading {
 public:
  explicit reading(statement& s) : statement_{s} {}
  ~reading() { statement_.reset(); }
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;

 private:
  statement& statement_;
};

enum class access { write, read };

/// One connection. Not thread-safe.
class connection {
 public:
  /// @param create make the file if it is missing; read access never does
  connection(const std::string& file, access how, bool create);
  [[nodiscard]] sqlite3* handle() const { return db_.get(); }
  void exec(const char* sql);
  [[nodiscard]] bool in_transaction() const;

 private:
  struct closer {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, closer> db_;
};

/// BEGIN IMMEDIATE (write) or BEGIN (one snapshot for several reads); rolls back unless commit()
/// was called.
class transaction {
 public:
  transaction(connection& db, access how);
  ~transaction();
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  /// Durable when it returns. After a failure nothing is applied, unless its code is unknown.
  void commit();

 private:
  connection& db_;
};

/// The 17 bytes that name an entity in a key column.
class entity_key {
 public:
  explicit entity_key(const entity_id& id);
  operator std::string_view() const { return {bytes_, sizeof bytes_}; }
  static entity_id parse(std::string_view bytes);  // throws failure{corrupt}

 private:
  char bytes_[17];
};

/// Runs `work` and turns a failure into an error. T is what the caller's result holds.
template <class T, class Work>
result<T> guarded(Work&& work) {
  try {
    return work();
  } catch (const failure& why) {
    return error{why.code, why.what()};
  }
}

}  // namespace baraza::storage::embedded
