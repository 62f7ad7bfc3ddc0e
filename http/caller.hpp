// Who is asking, once a token has said so.
#pragma once

#include <string>

#include "storage/ids.hpp"

namespace baraza::http {

struct caller {
  uuid player, login;
  std::string display;
  millis access_expires_at = 0;    // of the token that was shown
  millis absolute_expires_at = 0;  // of the login: sockets close then
  std::uint64_t seen_ends = 0;     // see access_cache::ends
};

}  // namespace baraza::http
