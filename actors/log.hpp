// The structured log: one event a line, as text for people or JSON for machines. Asynchronous and
// bounded: a slow disk costs old lines, never time. No token or password belongs in here; phones
// and e-mail addresses only through the masks below.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace baraza {
struct uuid;
struct entity_id;
}  // namespace baraza

namespace baraza::log {

enum class level : std::uint8_t { trace, debug, info, warn, error, off };
std::string_view to_string(level l);  // "info"
std::optional<level> parse_level(std::string_view text);

struct options {
  level least = level::info;           // less serious events are not written
  bool json = false;                   // else text
  std::string file;                    // appended to; empty: standard error
  std::size_t queue_lines_max = 8192;  // beyond, the oldest waiting line is dropped and counted
};

inline constexpr std::size_t value_bytes_max = 1024;     // of one field; cut, with a mark
inline constexpr std::size_t line_bytes_max = 8 * 1024;  // further fields of an event are left out
inline constexpr std::size_t queue_lines_limit = 65536;  // no option goes beyond

/// Starts the writer thread. Before, and after stop, events vanish. Call once, before any other
/// thread logs.
/// @returns why the file cannot be opened; empty if all is well
std::string start(const options& how);
/// Writes what waits and ends the writer thread. Call when no other thread logs any more.
void stop();
/// Asks the writer to hand over to the system all that waits; returns at once.
void flush();
/// Lines lost to a full queue since start.
std::uint64_t dropped();

namespace detail {
inline std::atomic<level> least{level::off};
}
/// One relaxed load: ask before computing something expensive for a field.
inline bool enabled(level l) {
  return l != level::off && l >= detail::least.load(std::memory_order_relaxed);
}

/// One key and value. Refers to texts, ids and entities without copying: they must live until
/// `event` returns, as arguments do. A key that speaks of a secret (password, token, secret,
/// authorization, cookie, seed) is written with *** as its value.
struct field {
  using content = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool,
                               const uuid*, const entity_id*>;
  std::string_view key;  // snake_case
  content value;

  field(std::string_view k, std::string_view v) : key{k}, value{v} {}
  field(std::string_view k, const std::string& v) : key{k}, value{std::string_view{v}} {}
  field(std::string_view k, const char* v) : key{k}, value{std::string_view{v}} {}
  field(std::string_view k, bool v) : key{k}, value{v} {}
  field(std::string_view k, double v) : key{k}, value{v} {}
  field(std::string_view k, const uuid& v) : key{k}, value{&v} {}
  field(std::string_view k, const entity_id& v) : key{k}, value{&v} {}
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) field(std::string_view k, T v)
      : key{k}, value{convert(v)} {}

 private:
  template <class T>
  static content convert(T v) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<std::int64_t>(v);
    else
      return static_cast<std::uint64_t>(v);
  }
};

void write(level l, std::string_view what, std::string_view correlation,
           std::initializer_list<field> fields);

/// log::event(level::info, "wallet.buy_in", {{"match", id}, {"amount", 500}}). `what` is a stable
/// dotted name, not a sentence.
inline void event(level l, std::string_view what, std::initializer_list<field> fields = {}) {
  if (enabled(l)) write(l, what, {}, fields);
}
/// The same with the id that follows one request from the socket to the commit.
inline void event(level l, std::string_view what, std::string_view correlation,
                  std::initializer_list<field> fields) {
  if (enabled(l)) write(l, what, correlation, fields);
}

/// The line `write` would queue, without line break. `millis_utc` counts from the Unix epoch.
std::string format(bool json, std::int64_t millis_utc, level l, std::string_view what,
                   std::string_view correlation, std::initializer_list<field> fields);

/// "+254712345678" → "*********678": the last three digits, whatever else it holds.
std::string mask_phone(std::string_view phone);
/// "jane@example.org" → "j***@example.org".
std::string mask_email(std::string_view email);
/// A login name, which is one or the other.
std::string mask_name(std::string_view name);

}  // namespace baraza::log
