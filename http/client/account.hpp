// What a client knows of its player.
#pragma once

#include <string>

#include "storage/ids.hpp"

namespace baraza::client {

struct account {
  uuid player;
  std::string display;
  std::string access, refresh;  // tokens: secrets, never printed
};

/// An answer that is none: a stable code and a sentence for people.
struct problem {
  std::string code, message;
};

}  // namespace baraza::client
