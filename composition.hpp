// What the settings mean to the parts of a node. Only the root of the tree sees both sides.
#pragma once

#include "config/doctor.hpp"
#include "config/settings.hpp"
#include "http/serve.hpp"

namespace baraza {

/// Every setting of a node but those of its log. The settings have passed config::load.
http::serve_options serve_options(const config::settings& s);

/// Opens the store for reading only and asks for its schema and its time, for `baraza doctor`.
config::store_answer ask_store(const std::string& url);

}  // namespace baraza
