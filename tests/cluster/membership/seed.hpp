// The seed of the random schedules: BARAZA_TEST_SEED from the environment, else a fixed one, so
// that a run is repeatable and a failure names what to repeat.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace baraza::tests {

inline std::uint64_t schedule_seed() {
  const char* given = std::getenv("BARAZA_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20'261'124;
}

using random_source = std::mt19937_64;

/// Uniform in [low, high].
inline std::int64_t pick(random_source& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace baraza::tests
