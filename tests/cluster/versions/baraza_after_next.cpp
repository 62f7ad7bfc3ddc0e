// The version after the next: it speaks with that one, and no more with this one.
#include "cluster/version.hpp"

namespace baraza::cluster {

binary_version own_version() {
  return {.schema = 4, .protocol_oldest = 2, .protocol_newest = 3, .level = 2};
}

}  // namespace baraza::cluster
