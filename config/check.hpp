// What settings must satisfy together, beyond the bounds of each.
#pragma once

#include <optional>

#include "config/load.hpp"

namespace baraza::config {

/// The first contradiction, worded like every load error and placed at the more deliberate of the
/// two settings.
std::optional<load_error> check_together(const loaded& all);

}  // namespace baraza::config
