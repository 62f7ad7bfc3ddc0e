// The HTTP routes beside the game socket, as blocking calls with deadlines: accounts, wallet,
// history, records, proofs. One connection, kept alive; not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/client/account.hpp"
#include "http/client/endpoint.hpp"

struct sockaddr_in;

namespace baraza::client {

template <class T>
using answer_or = std::variant<T, problem>;

struct history_line {
  std::string kind;         // "payout", "buy_in", …
  std::int64_t amount = 0;  // minor units; negative: it went out
  std::string reference;    // match id
};

class http_api {
 public:
  /// @param from local address to connect from; none: the kernel's choice
  explicit http_api(endpoint server, const sockaddr_in* from = nullptr);
  ~http_api();
  http_api(const http_api&) = delete;
  http_api& operator=(const http_api&) = delete;

  /// The JSON body of a 2xx answer as MessagePack, or the server's error code and sentence.
  /// "unreachable": no answer at all. A 429 or 503 with Retry-After is repeated `patience` times.
  answer_or<std::string> call(std::string_view verb, std::string_view target, std::string_view json,
                              std::string_view token, int patience = 0);
  /// The raw text of a 2xx answer.
  answer_or<std::string> text(std::string_view verb, std::string_view target, std::string_view json,
                              std::string_view token, int patience = 0);

  answer_or<account> guest(std::string_view display, int patience = 0);
  /// A new pair of tokens for an older one; the player stays.
  answer_or<account> renew(const account& who);
  answer_or<std::int64_t> balance(const account& who, std::string_view currency);  // minor units
  answer_or<std::vector<history_line>> history(const account& who, std::string_view currency,
                                               int limit);
  answer_or<std::string> record(const account& who, const uuid& match);  // MessagePack
  answer_or<std::string> proof(const account& who, const uuid& match);   // JSON text

 private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace baraza::client
