// One metric in Prometheus' text format.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace baraza::http {

/// `type`: "counter" or "gauge".
template <std::integral Value>
void put_metric(std::string& out, std::string_view name, std::string_view type,
                std::string_view help, Value value) {
  out.append("# HELP ").append(name).append(" ").append(help);
  out.append("\n# TYPE ").append(name).append(" ").append(type);
  out.append("\n").append(name).append(" ").append(std::to_string(value)).append("\n");
}

}  // namespace baraza::http
