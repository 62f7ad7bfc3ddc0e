// The [log] section as the log wants it.
#pragma once

#include "actors/log.hpp"
#include "config/settings.hpp"

namespace baraza::config {

log::options log_options(const settings& from);

}  // namespace baraza::config
