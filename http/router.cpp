#include "http/router.hpp"

#include "http/auth_tokens.hpp"
#include "http/responses.hpp"

namespace baraza::http {
namespace {
constexpr std::size_t part_bytes_max = 64;

/// HEAD is GET without its body.
std::string_view effective(std::string_view method) { return method == "HEAD" ? "GET" : method; }
}  // namespace

bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>* parts) {
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() != '{') {
      if (pattern.front() != path.front()) return false;
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    const auto end = path.find('/');
    const auto part = path.substr(0, end);
    if (part.empty() || part.size() > part_bytes_max) return false;
    if (parts != nullptr) parts->emplace_back(part);
    path.remove_prefix(part.size());
    pattern.remove_prefix(pattern.find('}') + 1);
  }
  return pattern.empty() && path.empty();
}

void exchange::ok(std::string json, int status) const {
  response out;
  out.status = status;
  out.body = std::move(json);
  done(std::move(out));
}

void exchange::fail(int status, std::string_view code, std::string_view message,
                    std::uint32_t retry_ms) const {
  auto out = error_response(status, code, message, what.request_id, retry_ms);
  if (status == 401) out.fields.emplace_back("WWW-Authenticate", "Bearer");
  done(std::move(out));
}

std::string exchange::query(std::string_view name) const {
  std::string_view rest = what.query;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return std::string{pair.substr(equals + 1)};
  }
  return {};
}

std::size_t router::body_bytes_max(std::string_view method, std::string_view path) const {
  for (const auto& one : routes_) {
    if (one.method == effective(method) && fits(one.pattern, path, nullptr))
      return one.body_bytes_max;
  }
  return 0;
}

void router::serve(request what, respond done) {
  exchange x{std::move(what), std::nullopt, {}, std::move(done)};
  std::string allowed;
  for (const auto& one : routes_) {
    std::vector<std::string> parts;
    if (!fits(one.pattern, x.what.path, &parts)) continue;
    if (one.method != effective(x.what.method)) {
      allowed += (allowed.empty() ? "" : ", ") + std::string{one.method};
      continue;
    }
    x.parts = std::move(parts);
    if (!one.needs_token) return one.handler(std::move(x));
    const std::string token{tokens::bearer(x.what.authorization)};
    return accounts_->authenticate(
        token, [x = std::move(x), &one, this](std::variant<caller, auth_error> known) mutable {
          if (const auto* why = std::get_if<auth_error>(&known)) {
            if (why->status == 401 && !x.what.authorization.empty())
              accounts_->note_unauthorized(x.what.client, x.what.request_id);
            return x.fail(*why);
          }
          x.who = std::move(std::get<caller>(known));
          one.handler(std::move(x));
        });
  }
  if (allowed.empty()) return x.fail(404, "not_found", "There is no such address.");
  auto out = error_response(405, "method_not_allowed", "This address does not take that method.",
                            x.what.request_id);
  out.fields.emplace_back("Allow", allowed);
  x.done(std::move(out));
}

}  // namespace baraza::http
