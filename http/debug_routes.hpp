// Routes that break things on purpose. Test builds only: a release does not contain them.
#pragma once

#ifdef BARAZA_TEST_COMMANDS

#include <vector>

#include "http/bridge.hpp"
#include "http/router.hpp"

namespace baraza::http {

/// POST /admin/v1/debug/fault?table=UUID&fault=throw|assert|cannot_fold|hold: the table misbehaves;
/// 202 once it has been told. `to` outlives the routes.
void add_debug_routes(std::vector<route>& routes, bridge& to);

}  // namespace baraza::http

#endif
