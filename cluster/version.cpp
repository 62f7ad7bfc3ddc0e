#include "cluster/version.hpp"

namespace baraza::cluster {

binary_version own_version() { return {}; }

}  // namespace baraza::cluster
