// A libpqxx connection that reconnects, and turns exceptions into errors: libpqxx throws only
// inside this folder.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <type_traits>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// The error of the exception in flight; call it inside a catch block.
error current_error();

class database {
 public:
  /// @param name shown to operators as application_name
  database(std::string url, std::string_view name, std::chrono::milliseconds statement_limit);

  /// Runs `work(pqxx::connection&)`, which must be safe to repeat: a connection that turns out to
  /// be dead is replaced once.
  template <class Work>
  auto repeatable(Work work) -> result<std::invoke_result_t<Work, pqxx::connection&>> {
    for (int attempt = 0;; ++attempt) {
      const bool fresh = !connection_;
      try {
        return work(open());
      } catch (const pqxx::broken_connection&) {
        connection_.reset();
        if (fresh || attempt > 0) return current_error();
      } catch (...) {
        return current_error();
      }
    }
  }
  /// Runs `work(pqxx::connection&)` once; an error may leave its outcome unknown.
  template <class Work>
  auto once(Work work) -> result<std::invoke_result_t<Work, pqxx::connection&>> {
    try {
      return work(open());
    } catch (const pqxx::broken_connection&) {
      connection_.reset();
      return current_error();
    } catch (...) {
      return current_error();
    }
  }
  void close() { connection_.reset(); }

 private:
  pqxx::connection& open();

  std::string url_;
  std::chrono::milliseconds statement_limit_;
  std::unique_ptr<pqxx::connection> connection_;
};

uuid as_uuid(const pqxx::field& field);
std::string as_bytes(const pqxx::field& field);
pqxx::bytes_view bytes_of(std::string_view text);

}  // namespace baraza::storage::postgres
