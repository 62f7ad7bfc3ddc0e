// How much slower this build may be: a promise about time is checked with this factor, so that a
// sanitizer's pace is no failure.
#pragma once

namespace baraza::tests {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
inline constexpr int slowness = 10;  // ThreadSanitizer: 5 to 15 times slower
#else
inline constexpr bool is_sanitized = false;
inline constexpr int slowness = 1;
#endif

}  // namespace baraza::tests
