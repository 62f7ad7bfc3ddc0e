// Limits of the rules layer. Bytes beyond them are refused (commands, options) or cannot be folded.
#pragma once

#include <cstddef>

namespace baraza::games {

inline constexpr std::size_t command_bytes_max =
    4 * 1024;                                           // a player's wish; larger is `bad_command`
inline constexpr std::size_t options_bytes_max = 1024;  // larger is `bad_options`
inline constexpr std::size_t event_bytes_max =
    16 * 1024;  // a push must fit a 64 KiB frame beside others
inline constexpr std::size_t snapshot_bytes_max = 48 * 1024;  // so does a view, which is no larger
inline constexpr int depth_max = 8;                    // nesting of maps and arrays that is read
inline constexpr std::size_t elements_max = 4 * 1024;  // of one array or map
inline constexpr std::size_t shuffle_size_max = 1024;  // cards of one shuffle; a shoe has 312

}  // namespace baraza::games
