// What this binary speaks and writes: the numbers by which two binaries of one cluster find out
// whether they fit together (rule A9). A function, so that tests link binaries of other versions.
#pragma once

#include <cstdint>

namespace baraza::cluster {

struct binary_version {
  /// Of envelopes between nodes: raised by a field appended anywhere in them. Nothing depends on it
  /// but the logs: older ones skip what they do not know.
  std::uint32_t schema = 2;
  /// Of links, beyond which two binaries do not talk at all. A roll needs neighbours that overlap.
  std::uint32_t protocol_oldest = 1, protocol_newest = 1;
  /// Raised by each form of an event, a snapshot or a message that the last version could not read,
  /// and by each migration. Such a form is written only once the cluster's own level
  /// (storage::cluster_state::level) has come up to it: then nobody is left who cannot read it.
  std::uint16_t level = 1;
};

/// This binary's.
binary_version own_version();

}  // namespace baraza::cluster
