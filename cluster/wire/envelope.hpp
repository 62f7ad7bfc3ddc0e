// What nodes say to each other, as bytes: MessagePack arrays whose fields are only ever appended,
// so that an old and a new version understand each other during a rolling upgrade.
//
//   envelope = [schema, kind, view, epoch, [entity kind, key], correlation, deadline,
//               [node, incarnation, edge, session, request, nil or [entity kind, key]],
//               [edge, session, request, http], [tag, fields…]]
//
// Each array may be longer than this version knows: what is behind is skipped. Kinds and tags are
// never reused; an unknown one is an error that names it, and the head is still readable, so that
// the asker gets an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "actors/messages.hpp"
#include "cluster/version.hpp"
#include "cluster/wire/control.hpp"
#include "storage/ids.hpp"

namespace baraza::cluster::wire {

/// Where an answer goes: the asking node's incarnation, and there a session or an entity.
struct reply_address {
  uuid node;  // nil: nobody waits
  std::uint64_t incarnation = 0;
  actors::reply_to to;
};

/// The player's request that a chain of messages serves (edge 0: none).
struct origin {
  std::uint32_t edge = 0;
  std::uint64_t session = 0, request = 0;
  std::string http;  // its id, if it came over HTTP
};

struct head {
  std::uint32_t schema = own_version().schema;  // of the writer; reading does not depend on it
  std::uint64_t view = 0;                       // the sender's cluster view version
  std::uint64_t epoch = 0;  // the shard's epoch as the sender knows it; 0: unknown
  entity_id to;             // answers and pushes: the entity that speaks
  std::uint64_t correlation = 0;
  millis deadline = 0;  // cluster time; past it nobody waits any more. 0: none
  reply_address from;
  origin cause;
};

/// "Not here": the receiver of a request holds a newer view. The asker refreshes, then asks again
/// with the same command id.
struct moved {
  std::uint32_t shard = 0;
  std::uint64_t view = 0, epoch = 0;
  std::uint64_t owner = 0;       // incarnation; 0: the shard is free …
  std::uint64_t next_owner = 0;  // … and for whom
};

using payload = std::variant<actors::request, actors::answer, actors::push, moved, control>;

struct message {
  head about;
  payload what;
};

enum class fault : std::uint8_t {
  malformed,     // not what any version writes: the peer is broken
  unknown_kind,  // a newer peer says something this version does not know
  unknown_tag,
  bad_value,  // a number outside what this version knows, as a currency
  too_large,  // beyond message_bytes_max
};
std::string_view to_string(fault what);

struct wire_error {
  fault what{};
  std::string sentence;       // for the log
  std::optional<head> about;  // as far as it was read: whom to tell
};

/// At most message_bytes_max bytes, or `too_large`.
std::variant<std::string, wire_error> encode(const message& m);
/// Reads any bytes; never throws, and allocates no more than a small multiple of what it is given.
std::variant<message, wire_error> decode(std::string_view bytes);

}  // namespace baraza::cluster::wire
