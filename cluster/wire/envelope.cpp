#include "cluster/wire/envelope.hpp"

#include "cluster/wire/codec.hpp"

namespace baraza::cluster::wire {
namespace {

template <class... Cases>
constexpr bool all_numbered(std::type_identity<std::variant<Cases...>>) {
  return ((tag_of<Cases> != 0) && ...);
}
static_assert(all_numbered(std::type_identity<actors::request>{}), "a request has no number");
static_assert(all_numbered(std::type_identity<actors::answer>{}), "an answer has no number");
static_assert(all_numbered(std::type_identity<actors::push>{}), "a push has no number");
static_assert(all_numbered(std::type_identity<control>{}), "a control message has no number");

}  // namespace

std::string_view to_string(fault what) {
  switch (what) {
    case fault::malformed:
      return "malformed";
    case fault::unknown_kind:
      return "unknown_kind";
    case fault::unknown_tag:
      return "unknown_tag";
    case fault::bad_value:
      return "bad_value";
    case fault::too_large:
      return "too_large";
  }
  return "malformed";
}

std::variant<std::string, wire_error> encode(const message& m) {
  auto bytes = codec::write<no_trailer>(m);
  if (bytes.size() > message_bytes_max)
    return wire_error{fault::too_large,
                      "a message of " + std::to_string(bytes.size()) + " bytes is too large",
                      m.about};
  return bytes;
}

std::variant<message, wire_error> decode(std::string_view bytes) {
  if (bytes.size() > message_bytes_max)
    return wire_error{fault::too_large,
                      "a message of " + std::to_string(bytes.size()) + " bytes is too large",
                      std::nullopt};
  return codec::read<no_trailer>(bytes);
}

}  // namespace baraza::cluster::wire
