// A table of routes: method, pattern, body limit, whether a token is needed, handler.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/auth_service.hpp"
#include "http/messages.hpp"

namespace baraza::http {

/// One request on its way through a handler. Copyable: handlers that wait keep a copy.
struct exchange {
  request what;
  std::optional<caller> who;       // set on routes that need a token
  std::vector<std::string> parts;  // what stood for "{…}" in the pattern
  respond done;

  void ok(std::string json, int status = 200) const;
  void fail(int status, std::string_view code, std::string_view message,
            std::uint32_t retry_ms = 0) const;
  void fail(const auth_error& why) const { fail(why.status, why.code, why.sentence, why.retry_ms); }
  [[nodiscard]] std::string query(std::string_view name) const;  // raw value; empty if absent
};

struct route {
  std::string_view method, pattern;  // "/v1/matches/{id}/proof"
  std::size_t body_bytes_max = 0;
  bool needs_token = false;
  std::function<void(exchange)> handler;
};

class router final : public service {
 public:
  /// @param accounts checks tokens; may be null if no route needs one
  router(std::vector<route> routes, auth_service* accounts)
      : routes_{std::move(routes)}, accounts_{accounts} {}
  [[nodiscard]] std::size_t body_bytes_max(std::string_view method,
                                           std::string_view path) const override;
  void serve(request what, respond done) override;
  [[nodiscard]] const std::vector<route>& table() const { return routes_; }

 private:
  const std::vector<route> routes_;
  auth_service* const accounts_;
};

/// True if `path` fits `pattern`; `parts` gets what stood for its braces (1–64 characters each).
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>* parts);

}  // namespace baraza::http
