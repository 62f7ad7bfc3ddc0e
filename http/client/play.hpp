// `baraza play`: a person at a terminal, or a script with --auto, against whoever waits in the
// lobby.
#pragma once

#include <cstdint>
#include <string>

#include "http/client/endpoint.hpp"

namespace baraza::client {

struct play_options {
  endpoint server;
  std::string url;           // as given, for messages
  std::string as;            // remembered name; empty: the first free one
  std::string display;       // shown to opponents; empty: the login name
  bool guest = false;        // a fresh account that is not remembered
  std::int64_t stake = 100;  // minor units
  std::uint8_t best_of = 3;
  std::string seed;          // client seed; empty: random for every match
  bool automatic = false;    // draws by itself
  std::uint32_t rounds = 1;  // matches
  std::uint32_t patience =
      0;  // seconds without progress before giving up; 0: for ever at a terminal, 120 s otherwise
  bool json = false;
};

/// @returns 0 when all matches were played (or a person left), 1 otherwise
int play(const play_options& options);

}  // namespace baraza::client
