// A match's server seed rests encrypted in the journal until it is revealed (rule D7).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/games/fair.hpp"
#include "storage/ids.hpp"

namespace baraza::actors {

using cluster_key = std::array<std::uint8_t, 32>;

/// Nonce and secretbox of the seed. The key is derived per match, so that a sealed seed copied to
/// another match does not open there.
std::string seal_seed(const cluster_key& key, const uuid& match, const fair::bytes32& seed);
/// Nothing if the key is another one or the bytes were changed.
std::optional<fair::bytes32> open_seed(const cluster_key& key, const uuid& match,
                                       std::string_view sealed);

}  // namespace baraza::actors
