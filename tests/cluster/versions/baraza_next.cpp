// The next version: it speaks with this one, and brings forms that this one could not read.
#include "cluster/version.hpp"

namespace baraza::cluster {

binary_version own_version() {
  return {.schema = 3, .protocol_oldest = 1, .protocol_newest = 2, .level = 2};
}

}  // namespace baraza::cluster
