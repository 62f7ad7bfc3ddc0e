// libFuzzer target: any bytes as a client's frame, in both encodings, and through both transcoders.
//
// Input: the first byte's lowest bit chooses the encoding; the rest is the frame. What decodes must
// survive a round trip: the encoder writes the canonical form, which decodes to the same and is
// written the same.
#include <cstdlib>
#include <string_view>

#include "http/wire.hpp"

namespace {

using namespace baraza::http;

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto how = (data[0] & 1) == 0 ? wire::encoding::msgpack : wire::encoding::json;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};

  const auto read = wire::decode(how, bytes);
  if (const auto* why = std::get_if<wire::wire_error>(&read)) {
    expect(!why->code.empty());
    expect(!why->sentence.empty());
    expect(why->close == 0 || (why->close >= 1002 && why->close <= 1009));
  } else {
    const auto& frame = std::get<wire::client_frame>(read);
    const auto canonical = wire::encode(how, frame);
    const auto again = wire::decode(how, canonical);
    expect(std::holds_alternative<wire::client_frame>(again));
    const auto& same = std::get<wire::client_frame>(again);
    expect(same.id == frame.id);
    expect(same.body.index() == frame.body.index());
    expect(wire::encode(how, same) == canonical);
  }
  const auto json = wire::to_json(bytes);
  if (!json.empty()) (void)wire::from_json(json);
  if (const auto packed = wire::from_json(bytes)) expect(!wire::to_json(*packed).empty());
  return 0;
}
