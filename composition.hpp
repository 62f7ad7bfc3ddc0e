// What the settings mean to the parts of a node. Only the root of the tree sees both sides.
#pragma once

#include "config/settings.hpp"
#include "http/serve.hpp"

namespace baraza {

/// Every setting of a node but those of its log. The settings have passed config::load.
http::serve_options serve_options(const config::settings& s);

}  // namespace baraza
