// What every connection of this store gets: time limits, a name an operator recognises, and
// SQLSTATEs sorted into our classes.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "storage/store.hpp"

namespace baraza::storage::postgres {

/// `url` with further parameters (values are percent-encoded).
std::string with_parameters(
    std::string_view url,
    std::initializer_list<std::pair<std::string_view, std::string>> parameters);

/// `url` with the client's own limits and `name` as application_name.
std::string limited(std::string_view url, std::string_view name);

/// The class of a failed statement outside commits: retry later, or a programming or schema error.
errc class_of(std::string_view sqlstate);

/// A 64-bit number of ours as the server's signed bigint.
inline std::string bigint(std::uint64_t value) {
  return std::to_string(static_cast<std::int64_t>(value));
}

/// An array literal of the texts; they must need no quoting (ids, numbers).
template <class Range, class ToText>
std::string array_literal(const Range& range, ToText to_text) {
  std::string text = "{";
  for (const auto& element : range) {
    if (text.size() > 1) text += ',';
    text += to_text(element);
  }
  return text += '}';
}

}  // namespace baraza::storage::postgres
