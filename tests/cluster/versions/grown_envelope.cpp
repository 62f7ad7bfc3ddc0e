// cluster/wire/envelope.cpp as a later version would have it: every struct in an envelope has one
// field more, which this version has to pass over, and does not send.
#include "cluster/wire/codec.hpp"
#include "cluster/wire/envelope.hpp"

namespace baraza::cluster::wire {
namespace {

struct later_field {
  static constexpr std::size_t count = 1;
  static void write(std::string& out) { actors::pack::put_text(out, "of a later version"); }
  static bool read(games::codec::reader& in) {
    std::string_view text;
    return in.text(text) && text == "of a later version";
  }
};

wire_error too_large(std::size_t bytes, std::optional<head> about) {
  return {fault::too_large, "a message of " + std::to_string(bytes) + " bytes is too large",
          std::move(about)};
}

}  // namespace

std::string_view to_string(fault what) {
  static constexpr std::string_view names[] = {"malformed", "unknown_kind", "unknown_tag",
                                               "bad_value", "too_large"};
  return names[static_cast<std::size_t>(what)];
}

std::variant<std::string, wire_error> encode(const message& m) {
  auto bytes = codec::write<later_field>(m);
  if (bytes.size() > message_bytes_max) return too_large(bytes.size(), m.about);
  return bytes;
}

std::variant<message, wire_error> decode(std::string_view bytes) {
  if (bytes.size() > message_bytes_max) return too_large(bytes.size(), std::nullopt);
  return codec::read<later_field>(bytes);
}

}  // namespace baraza::cluster::wire
