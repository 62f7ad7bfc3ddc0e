// After a load run: is every acknowledged action in its match's record?
#pragma once

#include "http/client/load_fleet.hpp"

namespace baraza::client {

/// Reads records over HTTP and fills report.verified and report.lost. All matches when something
/// may have been lost (the server was away during the run) or options.verify_all says so; otherwise
/// the newest, for a few seconds. A record that cannot be read counts as lost: nothing else may be
/// said of what it should hold.
void verify_acknowledged(load_fleet& fleet, load_report& report);

}  // namespace baraza::client
