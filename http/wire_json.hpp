// The JSON side of the wire, and a look into frames; private to http/ and its tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/msgpack.hpp"

namespace baraza::http::wire {

/// Appends the MessagePack form of one JSON text to `out`. Repeated names stay repeated (decode
/// refuses them).
/// @returns malformed for anything that is not exactly one JSON value, too_deep beyond 16
/// containers
pack::fault json_to_msgpack(std::string_view json, std::string& out);

/// The request that a server frame answers: its second pair is "re". 0: a push.
std::uint64_t answered(std::string_view frame);

}  // namespace baraza::http::wire
