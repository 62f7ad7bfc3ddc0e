// HTTP requests and responses as routes see them: plain values.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/address.hpp"

namespace baraza::http {

struct request {
  std::string method, path, query;  // path without query, as sent (no route needs percent-decoding)
  std::string authorization, content_type;
  std::string operator_name;  // X-Operator, of the operators' port
  std::string request_id;     // the client's if it was sane, else ours
  std::string body;
  address client;
};

struct response {
  int status = 200;
  std::string body;  // JSON unless content_type says otherwise; empty with 204
  std::string_view content_type = "application/json";
  std::vector<std::pair<std::string_view, std::string>> fields;
};

/// Called once, from any thread.
using respond = std::function<void(response)>;

/// Serves what the gate and the parser let through.
class service {
 public:
  virtual ~service() = default;
  /// Largest body the route takes; 0 for unknown routes.
  [[nodiscard]] virtual std::size_t body_bytes_max(std::string_view method,
                                                   std::string_view path) const = 0;
  virtual void serve(request what, respond done) = 0;
};

}  // namespace baraza::http
