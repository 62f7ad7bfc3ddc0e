#include "storage/postgres/connect.hpp"

#include "storage/postgres/limits.hpp"

namespace baraza::storage::postgres {

std::string with_parameters(
    std::string_view url,
    std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string text{url};
  char separator = url.find('?') == std::string_view::npos ? '?' : '&';
  for (const auto& [name, value] : parameters) {
    text.append(1, separator).append(name).append(1, '=');
    separator = '&';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
      if (plain)
        text += c;
      else
        text.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return text;
}

std::string limited(std::string_view url, std::string_view name) {
  return with_parameters(url, {{"connect_timeout", std::to_string(connect_timeout_s)},
                               {"tcp_user_timeout", std::to_string(tcp_user_timeout_ms)},
                               {"keepalives_idle", "5"},
                               {"keepalives_interval", "2"},
                               {"keepalives_count", "3"},
                               {"application_name", std::string{name}}});
}

errc class_of(std::string_view sqlstate) {
  if (sqlstate == "23505") return errc::exists;
  // 42P01 and 42703: a table or column this binary expects is not there.
  if (sqlstate == "42P01" || sqlstate == "42703" || sqlstate == "42883") return errc::incompatible;
  if (sqlstate.starts_with("XX")) return errc::corrupt;
  return errc::unavailable;
}

}  // namespace baraza::storage::postgres
