// Limits of reading settings. The bounds of each setting stand in its row of keys.cpp.
#pragma once

#include <cstddef>

namespace baraza::config {

inline constexpr std::size_t file_bytes_max = 1024 * 1024;  // a larger file is refused unread
inline constexpr std::size_t text_bytes_max = 4096;  // of one value: a path or an URL, not more
inline constexpr std::size_t list_entries_max = 64;  // of one list: hosts, origins
inline constexpr std::size_t shown_bytes_max = 60;  // of a bad value in an error: it stays one line

}  // namespace baraza::config
