#include "http/debug_routes.hpp"

#ifdef BARAZA_TEST_COMMANDS

namespace baraza::http {
namespace {

using how = actors::debug_fault::how;

std::optional<how> parse_fault(std::string_view word) {
  if (word == "throw") return how::throws;
  if (word == "assert") return how::asserts;
  if (word == "cannot_fold") return how::cannot_fold;
  if (word == "hold") return how::holds_thread;
  if (word == "die_at_fold") return how::dies_at_fold;
  if (word == "crash") return how::crashes;
  return std::nullopt;
}

}  // namespace

void add_debug_routes(std::vector<route>& routes, bridge& to) {
  routes.push_back({"POST", "/admin/v1/debug/fault", 0, false, [&to](const exchange& x) {
                      const auto table = uuid::parse(x.query("table"));
                      const auto fault = parse_fault(x.query("fault"));
                      if (!table || !fault)
                        return x.fail(400, "bad_request",
                                      "table is a match's id; fault is throw, assert, cannot_fold, "
                                      "hold, die_at_fold or crash.");
                      // Whoever is told to fail cannot be asked to answer.
                      to.ask({entity_kind::table, *table}, actors::debug_fault{*fault},
                             x.what.request_id, std::chrono::seconds{1},
                             [](const actors::answer&) {});
                      x.ok("{\"told\":true}", 202);
                    }});
}

}  // namespace baraza::http

#endif
