// Messages as frames of at most frame_bytes_max: whole if they fit, else cut into pages that the
// other side puts together again within bounds.
//
//   frame = 0x00 message | 0x01 page;   page = [number, index, pages, bytes of all, chunk]
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cluster/wire/limits.hpp"

namespace baraza::cluster::wire {

/// The frames of `message` (≤ message_bytes_max), in the order in which they must be sent. `number`
/// must not be shared by two messages on one connection.
std::vector<std::string> split(std::string_view message, std::uint64_t number);

/// One peer's unfinished messages. Pages of one message come in order; those of several may mix.
class reassembler {
 public:
  enum class fault : std::uint8_t {
    malformed,     // no frame of ours: the connection is worth nothing any more
    out_of_order,  // a page is missing or repeated; that message is dropped
    too_large,     // beyond message_bytes_max or, all together, partial_bytes_max
  };
  struct incomplete {};
  using outcome = std::variant<incomplete, std::string, fault>;

  /// @param now_ms steady clock, never going back
  outcome take(std::string_view frame, std::int64_t now_ms);
  /// Drops messages begun longer than partial_age_max ago. take() does so too.
  void expire(std::int64_t now_ms);

  [[nodiscard]] std::size_t partial_count() const { return partials_.size(); }
  [[nodiscard]] std::size_t partial_bytes() const { return bytes_; }
  /// Messages begun and dropped: too old, out of order, or one too many.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  struct partial {
    std::uint64_t number = 0;
    std::uint32_t next = 0, pages = 0;
    std::size_t total = 0;
    std::int64_t begun_ms = 0;
    std::string bytes;
  };
  outcome take_page(std::string_view page, std::int64_t now_ms);
  void drop(std::deque<partial>::iterator which);

  std::deque<partial> partials_;  // oldest first
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace baraza::cluster::wire
