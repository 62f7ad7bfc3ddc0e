// Every bound of what nodes say to each other: unit, reason, and what happens there.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace baraza::cluster::wire {

// One frame on a link; a longer message is cut into pages, so that a heartbeat never waits long.
inline constexpr std::size_t frame_bytes_max = 64 * 1024;
// One message with all its pages; larger is refused by the sender. A journal's whole view of a
// match is below 64 KiB, a push to a big crowd below 512 KiB.
inline constexpr std::size_t message_bytes_max = 1024 * 1024;
// Bytes of a page beside its chunk: four numbers and two heads.
inline constexpr std::size_t page_head_bytes_max = 48;
inline constexpr std::size_t page_chunk_bytes = frame_bytes_max - page_head_bytes_max;
// Messages one peer may have begun and not ended; one more drops the oldest. A sender writes page
// after page, so more than a few means that it is broken.
inline constexpr std::size_t partial_messages_max = 16;
// Their bytes together; beyond, the page is refused.
inline constexpr std::size_t partial_bytes_max = 4 * 1024 * 1024;
// A message whose last page does not come for this long is dropped.
inline constexpr std::chrono::milliseconds partial_age_max{5000};
// Elements of one list in a message (seats, bodies of a push); more is malformed.
inline constexpr std::size_t list_items_max = 1024;

static_assert(message_bytes_max <= partial_bytes_max);

}  // namespace baraza::cluster::wire
