// What operators order about a player's account.
#include "http/admin.hpp"

namespace baraza::http {
namespace {

using action = player_order::action;

void order(auth_service& accounts, action what, const exchange& x) {
  const auto player = uuid::parse(x.parts.at(0));
  if (!player) return x.fail(404, "not_found", "A player's id is a uuid.");
  auto by = who_asks(x);
  if (!by) return;
  accounts.order({what, *player, std::move(*by)},
                 [x, what](const std::variant<player_verdict, auth_error>& out) {
                   if (const auto* why = std::get_if<auth_error>(&out)) return x.fail(*why);
                   const auto& said = std::get<player_verdict>(out);
                   const auto ended = "\"ended\":" + std::to_string(said.ended);
                   if (what == action::logout) return x.ok("{" + ended + "}");
                   x.ok(std::string{"{\"disabled\":"} +
                        (what == action::disable ? "true" : "false") +
                        ",\"changed\":" + (said.is_news ? "true," : "false,") + ended + "}");
                 });
}

}  // namespace

void add_player_orders(std::vector<route>& to, auth_service& accounts) {
  const auto add = [&](std::string_view pattern, action what) {
    to.push_back({"POST", pattern, 0, false,
                  [&accounts, what](const exchange& x) { order(accounts, what, x); }});
  };
  add("/admin/v1/players/{id}/logout", action::logout);
  add("/admin/v1/players/{id}/disable", action::disable);
  add("/admin/v1/players/{id}/enable", action::enable);
}

}  // namespace baraza::http
