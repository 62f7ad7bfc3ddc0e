#include "config/log.hpp"

namespace baraza::config {

log::options log_options(const settings& from) {
  log::options o;
  o.least = log::parse_level(from.log.level).value_or(log::level::info);  // load has checked it
  o.json = from.log.format == "json";
  o.file = from.log.file;
  o.queue_lines_max = static_cast<std::size_t>(from.log.queue_lines);
  return o;
}

}  // namespace baraza::config
