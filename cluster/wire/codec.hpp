// The envelope over any archive: envelope.cpp instantiates it for this version, a test for the
// next one.
#pragma once

#include <string>

#include "cluster/wire/fields.hpp"

namespace baraza::cluster::wire::codec {

inline constexpr std::size_t envelope_fields = 10;

template <class Trailer>
void put_case(writer<Trailer>& out, const auto& chosen) {
  fields_of(chosen, [&](const auto&... each) {
    out.tagged(tag_of<std::remove_cvref_t<decltype(chosen)>>, each...);
  });
}
/// A payload that is a variant, or (moved) a single struct.
template <class Trailer, class... Cases>
void put_payload(writer<Trailer>& out, const std::variant<Cases...>& v) {
  std::visit([&](const auto& chosen) { put_case(out, chosen); }, v);
}
template <class Trailer>
void put_payload(writer<Trailer>& out, const moved& v) {
  fields_of(v, [&](const auto&... each) { out.tagged(1, each...); });
}

template <class Trailer>
std::string write(const message& m) {
  std::string bytes;
  bytes.reserve(256);
  writer<Trailer> out{bytes};
  actors::pack::put_array(bytes, envelope_fields + Trailer::count);
  const auto& about = m.about;
  out.put(about.schema);
  out.put(static_cast<std::uint8_t>(m.what.index() + 1));  // enum kind follows the variant
  out.put(about.view);
  out.put(about.epoch);
  out.put(about.to);
  out.put(about.correlation);
  out.put(about.deadline);
  out.put(about.from);
  out.put(about.cause);
  std::visit([&](const auto& what) { put_payload(out, what); }, m.what);
  Trailer::write(bytes);
  return bytes;
}

/// Reads the case whose tag is `tag`. @returns false if this version knows none
template <class Trailer, class... Cases>
bool get_case(reader<Trailer>& in, std::uint32_t count, std::uint32_t tag,
              std::variant<Cases...>& v) {
  const auto attempt = [&]<class Case>(std::type_identity<Case>) {
    if (tag != tag_of<Case>) return false;
    auto& chosen = v.template emplace<Case>();
    fields_of(chosen, [&](auto&&... each) { in.rest(count, 1, each...); });
    return true;
  };
  return (attempt(std::type_identity<Cases>{}) || ...);
}
template <class Trailer>
bool get_case(reader<Trailer>& in, std::uint32_t count, std::uint32_t tag, moved& v) {
  if (tag != 1) return false;
  fields_of(v, [&](auto&&... each) { in.rest(count, 1, each...); });
  return true;
}

template <class Trailer>
std::variant<message, wire_error> read(std::string_view bytes) {
  reader<Trailer> in{bytes};
  const auto broken = [&](std::optional<head> about) {
    return in.is_bad_value()
               ? wire_error{fault::bad_value, "a number this version does not know", about}
               : wire_error{fault::malformed, "these bytes are no envelope", about};
  };
  message m;
  auto& about = m.about;
  std::uint32_t which = 0;
  const auto count = in.open(envelope_fields);
  in.get(about.schema);
  in.get(which);
  in.get(about.view);
  in.get(about.epoch);
  in.get(about.to);
  in.get(about.correlation);
  in.get(about.deadline);
  in.get(about.from);
  in.get(about.cause);
  if (!in.ok() || about.schema == 0) return broken(std::nullopt);
  std::uint32_t tag = 0;
  const auto sort = [&](auto& into) -> bool {
    const auto fields = in.open(1);
    in.get(tag);
    return !in.ok() || get_case(in, fields, tag, into);
  };
  bool known = true;
  switch (static_cast<kind>(which <= 0xFF ? which : 0)) {
    case kind::request:
      known = sort(m.what.template emplace<actors::request>());
      break;
    case kind::answer:
      known = sort(m.what.template emplace<actors::answer>());
      break;
    case kind::push:
      known = sort(m.what.template emplace<actors::push>());
      break;
    case kind::moved:
      known = sort(m.what.template emplace<moved>());
      break;
    case kind::control:
      known = sort(m.what.template emplace<control>());
      break;
    default:
      return wire_error{fault::unknown_kind,
                        "kind " + std::to_string(which) + " of schema " +
                            std::to_string(about.schema) + " is unknown to this version",
                        about};
  }
  if (!known)
    return wire_error{fault::unknown_tag,
                      "tag " + std::to_string(tag) + " of kind " + std::to_string(which) +
                          ", schema " + std::to_string(about.schema) +
                          ", is unknown to this version",
                      about};
  in.close(count, envelope_fields);
  if (!in.ok() || !in.at_end()) return broken(about);
  return m;
}

}  // namespace baraza::cluster::wire::codec
