// What two nodes tell each other before anything else, and why they may not talk. Pure: bytes and
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/link/limits.hpp"

namespace baraza::cluster {

/// Who a node is and what it must share with its peers.
struct link_identity {
  std::string cluster;
  std::string name;  // one DNS label, as in the node's certificate
  std::uint64_t incarnation = 0;
  std::uint32_t shards = 0;
  std::string system_id;  // the store's own id: two clusters of one name on two databases differ
  std::uint32_t protocol_oldest = 1, protocol_newest = 1;  // own_version()
};

struct hello {
  link_identity from;
  std::string to_name;  // whom the dialler believes to reach
  std::uint64_t to_incarnation = 0;
};

enum class refusal : std::uint8_t {
  none = 0,
  cluster = 1,
  store = 2,
  shards = 3,
  protocol = 4,
  wrong_node = 5,         // the dialler looked for another name
  wrong_incarnation = 6,  // … or for an earlier or later life of it
  stale = 7,              // the dialler is an earlier life of a node known by now
  same_name = 8,          // the dialler calls itself as we do
  certificate = 9,        // the certificate is not for the name it gives
};

/// The answer to a hello; `why` none: welcome.
struct verdict {
  refusal why = refusal::none;
  std::string sentence;        // for both logs
  std::uint32_t protocol = 0;  // the newest both speak
  std::string name;            // who answers
  std::uint64_t incarnation = 0;
};

std::string encode(const hello& h);
std::string encode(const verdict& v);
/// Nothing: not the bytes of any version, or a name beyond its bound.
std::optional<hello> decode_hello(std::string_view bytes);
std::optional<verdict> decode_verdict(std::string_view bytes);

/// What `self` answers. `known`: the incarnation under which self knows a node of that name.
verdict judge(const hello& h, const link_identity& self, std::optional<std::uint64_t> known);

}  // namespace baraza::cluster
