// Opaque tokens: 256 random bits, shown once, stored only as their SHA-256. The prefix tells people
// and secret scanners what leaked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/identity.hpp"

namespace baraza::http::tokens {

inline constexpr std::string_view access_prefix = "bza_";
inline constexpr std::string_view refresh_prefix = "bzr_";
inline constexpr std::string_view ticket_prefix = "bzt_";
inline constexpr std::size_t bytes = 32;
inline constexpr std::size_t length = 4 + 43;  // prefix and base64url without padding

/// A fresh token from the operating system's generator.
std::string make(std::string_view prefix);
/// SHA-256 of the whole text; nothing if the text has not the shape of such a token (so that
/// nonsense never reaches the store).
std::optional<storage::digest> digest_of(std::string_view prefix, std::string_view token);
/// "Bearer TOKEN" → TOKEN; empty otherwise.
std::string_view bearer(std::string_view authorization);

}  // namespace baraza::http::tokens
