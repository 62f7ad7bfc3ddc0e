// Which of a player's messages count together, and how often each class may come: a flood of joins
// must not cost the account its moves, and moves are cheap where stakes are not.
#pragma once

#include "http/limits.hpp"
#include "http/token_bucket.hpp"
#include "http/wire.hpp"

namespace baraza::http {

enum class action_class : std::uint8_t {
  plain,  // bounded by messages alone
  join,   // wakes a lobby, and may open a match
  stake   // takes stakes (the opening that locks the seeds) or pays them (giving up)
};

inline action_class class_of(const wire::client_message& what) {
  if (std::holds_alternative<wire::lobby_join>(what)) return action_class::join;
  if (std::holds_alternative<wire::table_open>(what) ||
      std::holds_alternative<wire::table_concede>(what))
    return action_class::stake;
  return action_class::plain;
}

/// The rate asked for, but never more than the hard limit, nor none at all.
inline rate within(rate asked, std::uint32_t per_second_max) {
  const auto per_second =
      asked.per_second == 0 ? per_second_max : std::min(asked.per_second, per_second_max);
  return {per_second, std::clamp<std::uint32_t>(asked.burst, 1, 2 * per_second_max)};
}

}  // namespace baraza::http
