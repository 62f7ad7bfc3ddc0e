// libFuzzer target: any bytes as a message between nodes, and as frames with pages.
//
// Input: the first byte's lowest bit chooses; 0: the rest is a message, 1: a row of frames, each
// behind two bytes of length. What decodes must be written canonically and read the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cluster/wire/envelope.hpp"
#include "cluster/wire/paging.hpp"

namespace {

using namespace baraza::cluster::wire;

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_message(std::string_view bytes) {
  const auto out = decode(bytes);
  if (const auto* why = std::get_if<wire_error>(&out)) return expect(!why->sentence.empty());
  const auto canonical = encode(std::get<message>(out));
  const auto& first = std::get<std::string>(canonical);
  const auto again = encode(std::get<message>(decode(first)));
  expect(std::get<std::string>(again) == first);
}

void read_frames(std::string_view bytes) {
  reassembler pages;
  for (std::int64_t now = 0; bytes.size() >= 2; now += 100) {
    const auto size =
        static_cast<std::uint8_t>(bytes[0]) * 256u + static_cast<std::uint8_t>(bytes[1]);
    bytes.remove_prefix(2);
    const auto frame = bytes.substr(0, size);
    bytes.remove_prefix(frame.size());
    pages.take(frame, now);
    expect(pages.partial_count() <= partial_messages_max);
    expect(pages.partial_bytes() <= partial_bytes_max);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  (data[0] & 1) == 0 ? read_message(bytes) : read_frames(bytes);
  return 0;
}
