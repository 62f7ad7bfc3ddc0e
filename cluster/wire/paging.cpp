#include "cluster/wire/paging.hpp"

#include <algorithm>

#include "cluster/wire/archive.hpp"

namespace baraza::cluster::wire {
namespace {

constexpr char whole = 0, paged = 1;

std::size_t pages_of(std::size_t bytes) {
  return (bytes + page_chunk_bytes - 1) / page_chunk_bytes;
}

}  // namespace

std::vector<std::string> split(std::string_view message, std::uint64_t number) {
  std::vector<std::string> frames;
  if (message.size() < frame_bytes_max) {
    frames.emplace_back(1, whole).append(message);
    return frames;
  }
  const auto pages = pages_of(message.size());
  for (std::size_t i = 0; i < pages; ++i) {
    auto& frame = frames.emplace_back(1, paged);
    writer<> out{frame};
    out(number, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(pages),
        static_cast<std::uint64_t>(message.size()),
        std::string{message.substr(i * page_chunk_bytes, page_chunk_bytes)});
  }
  return frames;
}

reassembler::outcome reassembler::take(std::string_view frame, std::int64_t now_ms) {
  expire(now_ms);
  if (frame.empty() || frame.size() > frame_bytes_max) return fault::malformed;
  if (frame[0] == whole) return std::string{frame.substr(1)};
  if (frame[0] != paged) return fault::malformed;
  return take_page(frame.substr(1), now_ms);
}

void reassembler::drop(std::deque<partial>::iterator which) {
  bytes_ -= which->bytes.size();
  partials_.erase(which);
  ++dropped_;
}

void reassembler::expire(std::int64_t now_ms) {
  while (!partials_.empty() && now_ms - partials_.front().begun_ms > partial_age_max.count())
    drop(partials_.begin());
}

reassembler::outcome reassembler::take_page(std::string_view page, std::int64_t now_ms) {
  std::uint64_t number = 0, total = 0;
  std::uint32_t index = 0, pages = 0;
  std::string chunk;
  reader<> in{page};
  in(number, index, pages, total, chunk);
  if (!in.ok() || !in.at_end() || chunk.empty() || pages < 2 || index >= pages)
    return fault::malformed;
  if (total > message_bytes_max) return fault::too_large;
  if (pages != pages_of(total)) return fault::malformed;
  const auto size = index + 1 < pages ? page_chunk_bytes : total - (pages - 1) * page_chunk_bytes;
  if (chunk.size() != size) return fault::malformed;

  auto known = std::find_if(partials_.begin(), partials_.end(),
                            [&](const partial& p) { return p.number == number; });
  if (known == partials_.end()) {
    if (index != 0) return fault::out_of_order;
    if (partials_.size() == partial_messages_max) drop(partials_.begin());
    known = partials_.insert(partials_.end(),
                             {number, 0, pages, static_cast<std::size_t>(total), now_ms, {}});
  } else if (known->next != index || known->pages != pages || known->total != total) {
    drop(known);
    return fault::out_of_order;
  }
  if (bytes_ + chunk.size() > partial_bytes_max) {
    drop(known);
    return fault::too_large;
  }
  known->bytes += chunk;
  bytes_ += chunk.size();
  if (++known->next < pages) return incomplete{};
  auto message = std::move(known->bytes);
  bytes_ -= message.size();
  partials_.erase(known);
  return message;
}

}  // namespace baraza::cluster::wire
