// `baraza load`: bots over real sockets that play whole matches, measure every action and remember
// what was acknowledged.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "http/client/endpoint.hpp"
#include "storage/ids.hpp"

namespace baraza::client {

struct load_options {
  endpoint server;               // accounts and records are asked for here
  std::vector<endpoint> others;  // where a bot goes on whose door is closed; same deployment
  std::uint32_t tables = 10;     // pairs of bots
  std::uint32_t seconds = 10;
  double rate = 0;  // actions per second of all bots; 0: closed loop
  std::uint8_t best_of = 3;
  std::int64_t stake = 100;  // minor units
  std::uint32_t idle = 0;    // sessions that only stay connected
  bool verify_all = false;   // read every record, however long it takes
  bool json = false;
  bool progress = true;
  /// Told of each acknowledged action, on the load's thread: when it was sent first, and the match.
  std::function<void(const uuid& match, std::chrono::steady_clock::time_point sent)> acknowledged;
};

struct load_report {
  double seconds = 0;
  std::uint64_t actions = 0, matches = 0, reconnects = 0;
  double p50 = 0, p90 = 0, p99 = 0, max = 0;    // milliseconds
  std::map<std::string, std::uint64_t> errors;  // by code
  std::uint64_t lost = 0, verified = 0, acknowledged = 0;
  std::uint32_t idle = 0;
  bool failed = false;  // the run could not be carried out; `failure` says why
  std::string failure;
};

/// Runs until the time is over or `stop` (set by a signal handler) is not 0. Blocks.
load_report run_load(const load_options& options, const volatile int& stop);

}  // namespace baraza::client
