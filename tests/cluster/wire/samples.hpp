// Messages of every kind: fixed ones for golden bytes, random ones for properties.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cluster/wire/envelope.hpp"

namespace baraza::cluster::tests {

/// One message of each case of each variant, by name; always the same values.
std::vector<std::pair<std::string, wire::message>> fixed_messages();
/// Any message: every field random, extremes included.
wire::message random_message(std::mt19937_64& random);

}  // namespace baraza::cluster::tests
