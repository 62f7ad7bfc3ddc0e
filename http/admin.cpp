#include "http/admin.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "http/auth_tokens.hpp"
#include "http/responses.hpp"
#include "http/secret_file.hpp"

namespace baraza::http {
namespace {

constexpr std::size_t token_bytes_min = 16;  // fewer could be guessed
constexpr std::size_t token_bytes_max = 4096;
constexpr std::size_t token_file_bytes_max = 16 * 1024;  // with white space around it

/// Takes the same time whatever the difference, of length too: hashes are compared.
bool is_same(std::string_view a, std::string_view b) {
  std::array<std::array<unsigned char, crypto_hash_sha256_BYTES>, 2> hashes{};
  crypto_hash_sha256(hashes[0].data(), reinterpret_cast<const unsigned char*>(a.data()), a.size());
  crypto_hash_sha256(hashes[1].data(), reinterpret_cast<const unsigned char*>(b.data()), b.size());
  return sodium_memcmp(hashes[0].data(), hashes[1].data(), hashes[0].size()) == 0;
}

bool is_probe(std::string_view path) { return path == "/livez" || path == "/readyz"; }

constexpr std::size_t operator_name_max = 64;

std::string trimmed(const std::string& text) {
  constexpr auto white = " \t\r\n";
  const auto first = text.find_first_not_of(white);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

}  // namespace

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

bool is_operator_name(std::string_view by) {
  const auto visible = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '@';
  };
  return !by.empty() && by.size() <= operator_name_max && std::ranges::all_of(by, visible);
}

std::optional<std::string> who_asks(const exchange& x) {
  auto name = x.what.operator_name.empty() ? x.query("by") : x.what.operator_name;
  if (!name.empty() && !is_operator_name(name)) {
    x.fail(422, "bad_field",
           "An operator's name (X-Operator or by) has 1 to 64 letters, digits or -_.@");
    return std::nullopt;
  }
  return (name.empty() ? "somebody" : name) + " from " + x.what.client.to_string();
}

operator_door::operator_door(std::vector<route> routes, std::string token)
    : routes_{std::move(routes), nullptr}, token_{std::move(token)} {}

void operator_door::serve(request what, respond done) {
  if (token_.empty() || is_probe(what.path) || is_same(tokens::bearer(what.authorization), token_))
    return routes_.serve(std::move(what), std::move(done));
  auto out = error_response(401, "unauthorized", "This address wants the operators' token.",
                            what.request_id);
  out.fields.emplace_back("WWW-Authenticate", "Bearer");
  done(std::move(out));
}

std::string read_admin_token(const std::string& path, std::string& token) {
  token.clear();
  if (path.empty()) return {};
  std::string text;
  auto wrong = read_secret(path, token_file_bytes_max, text);
  token = trimmed(text);
  if (wrong.empty() && (token.size() < token_bytes_min || token.size() > token_bytes_max))
    wrong = "must hold a token of 16 to 4096 characters";
  for (const char c : token)
    if (wrong.empty() && (c <= 0x20 || c > 0x7E)) wrong = "must hold one token of visible ASCII";
  if (wrong.empty()) return {};
  token.clear();
  return "the admin token file " + path + " " + wrong;
}

}  // namespace baraza::http
