#include "http/admin.hpp"

namespace baraza::http {

std::vector<route> admin_routes(std::function<bool()> is_ready,
                                std::function<std::string()> metrics) {
  std::vector<route> out;
  out.push_back({"GET", "/livez", 0, false, [](const exchange& x) { x.ok("{\"live\":true}"); }});
  out.push_back({"GET", "/readyz", 0, false, [is_ready = std::move(is_ready)](const exchange& x) {
                   const bool ready = is_ready();
                   x.ok(ready ? "{\"ready\":true}" : "{\"ready\":false}", ready ? 200 : 503);
                 }});
  out.push_back({"GET", "/metrics", 0, false, [metrics = std::move(metrics)](const exchange& x) {
                   response text;
                   text.content_type = "text/plain; version=0.0.4; charset=utf-8";
                   text.body = metrics();
                   x.done(std::move(text));
                 }});
  return out;
}

}  // namespace baraza::http
