// A libpqxx connection that reconnects, and turns exceptions into errors: libpqxx throws only
// inside this folder.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <type_traits>

#include "storage/postgres/server_memory.hpp"
#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// The error of the exception in flight; call it inside a catch block.
error current_error();

class database {
 public:
  /// @param name shown to operators as application_name
  /// @param server what each new connection must meet; null: any server will do, a standby too
  database(std::string url, std::string_view name, std::chrono::milliseconds statement_limit,
           std::shared_ptr<server_memory> server = nullptr);
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// Runs `work(pqxx::connection&)`, which must be safe to repeat: a connection that turns out to
  /// be dead is replaced once.
  template <class Work>
  auto repeatable(Work work) -> result<std::invoke_result_t<Work, pqxx::connection&>> {
    for (int attempt = 0;; ++attempt) {
      const bool fresh = !connection_;
      try {
        auto answer = work(open());
        if (has_warned_) return warned();
        return answer;
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
      auto answer = work(open());
      if (has_warned_) return warned();
      return answer;
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
  std::unique_ptr<pqxx::connection> connect();
  error warned();

  std::string url_;
  std::chrono::milliseconds statement_limit_;
  std::shared_ptr<server_memory> server_;
  bool has_warned_ = false;
  std::unique_ptr<pqxx::connection> connection_;
};

uuid as_uuid(const pqxx::field& field);
std::string as_bytes(const pqxx::field& field);
pqxx::bytes_view bytes_of(std::string_view text);

}  // namespace baraza::storage::postgres
