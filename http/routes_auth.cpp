// /v1/auth/… and /v1/ws-ticket: JSON in, JSON out; what is true of accounts is auth_service's
// business.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "http/routes.hpp"

namespace baraza::http {
namespace {

namespace json = boost::json;
constexpr std::size_t auth_body_bytes_max = 2048;

/// Strings of a flat JSON object. Wrong types and unknown names are refused: a typo in "password"
/// must not be a login without one.
class string_form {
 public:
  string_form(const exchange& x, std::initializer_list<std::string_view> known) {
    if (x.what.body.empty()) return;
    boost::system::error_code why;
    json::parse_options options;
    options.max_depth = 2;
    auto value = json::parse(x.what.body, why, {}, options);
    if (why || !value.is_object()) {
      wrong_ = "The body must be one JSON object.";
      return;
    }
    for (const auto& [name, content] : value.as_object()) {
      const std::string_view key{name.data(), name.size()};
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        wrong_ = "The body holds an unknown field.";
      } else if (!content.is_string()) {
        wrong_ = "The fields of the body are strings.";
      } else {
        const auto& text = content.get_string();
        values_.emplace_back(key, std::string{text.data(), text.size()});
      }
    }
  }
  [[nodiscard]] std::string take(std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return value;
    }
    return {};
  }
  /// Empty, or what is wrong with the body.
  [[nodiscard]] std::string_view wrong() const { return wrong_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  std::string_view wrong_;
};

bool refuse_wrong(const exchange& x, const string_form& form) {
  if (form.wrong().empty()) return false;
  x.fail(400, "bad_body", form.wrong());
  return true;
}

json::string_view view(const std::string& s) { return {s.data(), s.size()}; }

answer_to<issued> answer_login(const exchange& x, int status) {
  return [x, status](std::variant<issued, auth_error> out) {
    if (const auto* why = std::get_if<auth_error>(&out)) return x.fail(*why);
    const auto& login = std::get<issued>(out);
    json::object body;
    body["player"] = login.player.to_string();
    body["login"] = login.login.to_string();
    body["display"] = view(login.display);
    body["guest"] = login.guest;
    body["access_token"] = login.access;
    body["token_type"] = "Bearer";
    body["expires_in"] =
        std::chrono::duration_cast<std::chrono::seconds>(login.access_live).count();
    body["refresh_token"] = login.refresh;
    x.ok(json::serialize(body), status);
  };
}

answer_to<std::uint32_t> answer_ended(const exchange& x) {
  return [x](std::variant<std::uint32_t, auth_error> out) {
    if (const auto* why = std::get_if<auth_error>(&out)) return x.fail(*why);
    x.ok("{\"ended\":" + std::to_string(std::get<std::uint32_t>(out)) + "}");
  };
}

void list_logins(auth_service& accounts, const exchange& x) {
  accounts.list(*x.who, [x](std::variant<std::vector<login_view>, auth_error> out) {
    if (const auto* why = std::get_if<auth_error>(&out)) return x.fail(*why);
    json::array logins;
    for (const auto& one : std::get<std::vector<login_view>>(out)) {
      json::object login;
      login["login"] = one.login.to_string();
      login["device"] = view(one.device);
      login["idle_expires_at"] = one.idle_expires_at;
      login["absolute_expires_at"] = one.absolute_expires_at;
      login["current"] = one.current;
      logins.push_back(std::move(login));
    }
    x.ok(json::serialize(json::object{{"sessions", std::move(logins)}}));
  });
}

void make_guest(edge_shared& shared, const exchange& x) {
  const string_form form{x, {"display", "device"}};
  if (refuse_wrong(x, form)) return;
  if (!shared.is_exempt(x.what.client)) {
    if (const auto wait = shared.guests.take(x.what.client.bytes, steady_nanos()); wait > 0) {
      return x.fail(429, "rate_limited", "Too many new guests from this address.",
                    static_cast<std::uint32_t>(wait / 1'000'000 + 1));
    }
  }
  shared.accounts->guest(form.take("display"), form.take("device"), answer_login(x, 201));
}

}  // namespace

void add_auth_routes(std::vector<route>& to, edge_shared& shared) {
  auto* s = &shared;
  to.push_back({"POST", "/v1/auth/guest", auth_body_bytes_max, false,
                [s](const exchange& x) { make_guest(*s, x); }});
  to.push_back({"POST", "/v1/auth/register", auth_body_bytes_max, false, [s](const exchange& x) {
                  const string_form form{x, {"name", "password", "display", "device"}};
                  if (refuse_wrong(x, form)) return;
                  if (!s->is_exempt(x.what.client)) {
                    if (const auto wait = s->guests.take(x.what.client.bytes, steady_nanos());
                        wait > 0) {
                      return x.fail(429, "rate_limited", "Too many new accounts from this address.",
                                    static_cast<std::uint32_t>(wait / 1'000'000 + 1));
                    }
                  }
                  s->accounts->enrol(form.take("name"), form.take("password"), form.take("display"),
                                     form.take("device"), answer_login(x, 201));
                }});
  to.push_back({"POST", "/v1/auth/login", auth_body_bytes_max, false, [s](const exchange& x) {
                  const string_form form{x, {"name", "password", "device"}};
                  if (refuse_wrong(x, form)) return;
                  s->accounts->login(form.take("name"), form.take("password"), form.take("device"),
                                     x.what.client, answer_login(x, 200));
                }});
  to.push_back({"POST", "/v1/auth/refresh", auth_body_bytes_max, false, [s](const exchange& x) {
                  const string_form form{x, {"refresh_token"}};
                  if (refuse_wrong(x, form)) return;
                  s->accounts->refresh(form.take("refresh_token"), answer_login(x, 200));
                }});
  to.push_back({"POST", "/v1/auth/logout", 0, true,
                [s](const exchange& x) { s->accounts->logout(*x.who, answer_ended(x)); }});
  to.push_back({"POST", "/v1/auth/logout-everywhere", 0, true, [s](const exchange& x) {
                  s->accounts->logout_everywhere(*x.who, answer_ended(x));
                }});
  to.push_back({"GET", "/v1/auth/sessions", 0, true,
                [s](const exchange& x) { list_logins(*s->accounts, x); }});
  to.push_back({"DELETE", "/v1/auth/sessions/{id}", 0, true, [s](const exchange& x) {
                  const auto login = uuid::parse(x.parts.at(0));
                  if (!login) return x.fail(404, "not_found", "You have no such login.");
                  s->accounts->end(*x.who, *login, answer_ended(x));
                }});
  to.push_back({"POST", "/v1/ws-ticket", 0, true, [s](const exchange& x) {
                  const auto ticket = s->accounts->ticket(*x.who);
                  if (ticket.empty())
                    return x.fail(503, "overloaded", "Too many tickets are waiting.", 1000);
                  x.ok("{\"ticket\":\"" + ticket +
                           "\",\"expires_in\":" + std::to_string(limits::ticket_time.count()) + "}",
                       201);
                }});
}

}  // namespace baraza::http
