// JSON of proofs: reading MessagePack for people, and one text for equal content.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace baraza::games::proof_json {

/// MessagePack as JSON; null for bytes that cannot be read. Binary becomes hexadecimal.
boost::json::value readable(std::string_view bytes);

/// SHA-256, in hexadecimal, over the text of `object` without its member "digest", keys sorted at
/// every level. It shows damage; whoever changes a file on purpose can compute it anew, and meets
/// the other checks.
std::string digest_of(const boost::json::object& object);

}  // namespace baraza::games::proof_json
