// How responses look on the wire, and the one shape of an error.
#pragma once

#include <string>
#include <string_view>

#include "http/messages.hpp"

namespace baraza::http {

/// {"error":{"code":…,"message":…,"request_id":…}}; retry_ms also becomes Retry-After.
response error_response(int status, std::string_view code, std::string_view message,
                        std::string_view request_id, std::uint32_t retry_ms = 0);
/// Status line, security fields, body. `head_only`: the answer to HEAD.
std::string serialise(const response& what, std::string_view request_id, bool keep_alive,
                      bool head_only);
/// The client's id if it has 1–64 characters of A–Z a–z 0–9 - _ ., else a fresh one: logs must not
/// be forged.
std::string sane_request_id(std::string_view proposed);
std::string json_text(std::string_view text);  // quoted and escaped

}  // namespace baraza::http
