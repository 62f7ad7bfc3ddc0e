#include "config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "config/limits.hpp"

namespace baraza::config {
namespace {

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>  // clang 14 does not deduce aggregates
overloaded(Ts...)->overloaded<Ts...>;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    auto part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return c < 128 && (std::isalnum(c) != 0 || extra.find(char(c)) != std::string_view::npos);
  });
}

/// Valid UTF-8 without control characters: what a line of output, TOML and JSON can carry.
bool is_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xC2) || c > 0xF4) return false;
    const std::size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (i + length > text.size()) return false;
    for (std::size_t j = 1; j < length; ++j)
      if ((static_cast<unsigned char>(text[i + j]) & 0xC0) != 0x80) return false;
    i += length;
  }
  return true;
}

bool is_host(std::string_view text) {
  if (text.size() >= 4 && text.front() == '[' && text.back() == ']')
    return all_of(text.substr(1, text.size() - 2), ":.");
  return !text.empty() && text.size() <= 253 && all_of(text, "-.");
}

bool is_origin(std::string_view text) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos && text.back() != ']') {
      int port = 0;
      const auto digits = text.substr(colon + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
      if (error != std::errc{} || end != digits.data() + digits.size() || port < 1 || port > 65535)
        return false;
      text = text.substr(0, colon);
    }
    return is_host(text);
  }
  return false;
}

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  const std::string base{text.substr(0, slash)};
  std::array<unsigned char, 16> bytes{};
  const bool v4 = ::inet_pton(AF_INET, base.c_str(), bytes.data()) == 1;
  if (!v4 && ::inet_pton(AF_INET6, base.c_str(), bytes.data()) != 1) return false;
  if (slash == std::string_view::npos) return true;
  unsigned bits = 0;
  const auto tail = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), bits);
  return error == std::errc{} && end == tail.data() + tail.size() && bits <= (v4 ? 32U : 128U);
}

bool fits(text_form form, std::string_view words, std::string_view text) {
  switch (form) {
    case text_form::path:
      return is_printable(text);
    case text_form::name:
      return text.size() <= 64 && all_of(text, "-_.");
    case text_form::address:
      return parse_address(text).has_value();
    case text_form::store_url:
      return is_printable(text) &&
             ((text.starts_with("sqlite:") && text.size() > 7) ||
              (text.starts_with("postgresql://") || text.starts_with("postgres://")));
    case text_form::host:
      return is_host(text);
    case text_form::origin:
      return is_origin(text);
    case text_form::network:
      return is_network(text);
    case text_form::choice: {
      const auto known = split(words, ' ');
      return std::find(known.begin(), known.end(), text) != known.end();
    }
  }
  return false;
}

std::string describe(text_form form, std::string_view words) {
  switch (form) {
    case text_form::path:
      return "a path";
    case text_form::name:
      return "1 to 64 letters, digits, '-', '_' or '.'";
    case text_form::address:
      return "ADDR:PORT, as 127.0.0.1:7777 or [::1]:7777";
    case text_form::store_url:
      return "sqlite:PATH or postgresql://USER@HOST/DATABASE";
    case text_form::host:
      return "a host name or address without port";
    case text_form::origin:
      return "http://HOST[:PORT] or https://HOST[:PORT]";
    case text_form::network:
      return "an IP address or a range as 10.0.0.0/8";
    case text_form::choice: {
      std::string list;
      for (const auto& word : split(words, ' '))
        list += (list.empty() ? "\"" : ", \"") + word + "\"";
      return "one of " + list;
    }
  }
  return {};
}

/// What is wrong with one text, as in `is "x"`.
std::optional<std::string> check_text(const key& k, text_form form, bool may_be_empty,
                                      std::string_view words, const std::string& v) {
  if (v.empty()) return may_be_empty ? std::nullopt : std::optional<std::string>{"is empty"};
  if (v.size() > text_bytes_max)
    return "is longer than " + std::to_string(text_bytes_max) + " bytes";
  if (fits(form, words, v)) return std::nullopt;
  // A URL that cannot be read cannot be masked either, so it is not repeated.
  return k.secret ? std::string{"has another form (not shown, it may hold a password)"}
                  : "is " + shown(v);
}

std::string quoted(std::string_view text) {
  // Basic strings of TOML and JSON agree on these escapes.
  std::string out = "\"";
  for (const unsigned char c : text) {
    std::array<char, 8> code{};
    if (c == '"' || c == '\\') {
      out += '\\';
      out += char(c);
    } else if (c < 0x20 || c == 0x7F) {
      std::snprintf(code.data(), code.size(), "\\u%04x", c);
      out += code.data();
    } else {
      out += char(c);
    }
  }
  return out + "\"";
}

}  // namespace

std::string allowed(const key& k) {
  return std::visit(overloaded{
                        [&](const whole& t) {
                          return "a whole number from " + std::to_string(t.min) + " to " +
                                 std::to_string(t.max) + " (" + std::string{k.unit} + ")";
                        },
                        [](const truth&) { return std::string{"true or false"}; },
                        [](const text& t) {
                          return describe(t.form, t.words) + (t.may_be_empty ? ", or empty" : "");
                        },
                        [](const text_list& t) {
                          return "a list of " + std::string{t.may_be_empty ? "0" : "1"} + " to " +
                                 std::to_string(list_entries_max) + " texts, each " +
                                 describe(t.form, t.words);
                        },
                    },
                    k.type);
}

std::optional<value> parse(const key& k, std::string_view text) {
  return std::visit(
      overloaded{
          [&](const whole&) -> std::optional<value> {
            integer number = 0;
            const auto* last = text.data() + text.size();
            const auto [end, error] = std::from_chars(text.data(), last, number);
            if (error != std::errc{} || end != last) return std::nullopt;
            return number;
          },
          [&](const truth&) -> std::optional<value> {
            if (text == "true") return true;
            if (text == "false") return false;
            return std::nullopt;
          },
          [&](const config::text&) -> std::optional<value> { return std::string{text}; },
          [&](const text_list&) -> std::optional<value> { return split(text, ','); },
      },
      k.type);
}

std::optional<std::string> check(const key& k, const value& v) {
  return std::visit(
      overloaded{
          [](const whole& t, integer n) -> std::optional<std::string> {
            if (n >= t.min && n <= t.max) return std::nullopt;
            return "is " + std::to_string(n);
          },
          [](const truth&, bool) -> std::optional<std::string> { return std::nullopt; },
          [&](const text& t, const std::string& s) {
            return check_text(k, t.form, t.may_be_empty, t.words, s);
          },
          [&](const text_list& t, const std::vector<std::string>& list) {
            if (list.empty() && !t.may_be_empty) return std::optional<std::string>{"is empty"};
            if (list.size() > list_entries_max)
              return std::optional{"has " + std::to_string(list.size()) + " entries"};
            for (const auto& entry : list) {
              auto wrong = check_text(k, t.form, false, t.words, entry);
              if (wrong) return std::optional{"entry " + *wrong};
              if (std::count(list.begin(), list.end(), entry) > 1)
                return std::optional{"has " + shown(entry) + " twice"};
            }
            return std::optional<std::string>{};
          },
          [](const auto&, const auto&) -> std::optional<std::string> {
            return "is of another type";
          },
      },
      k.type, v);
}

void assign(const key& k, const value& v, settings& into) {
  std::visit(
      overloaded{
          [&](const whole& t, integer n) { t.at(into) = n; },
          [&](const truth& t, bool b) { t.at(into) = b; },
          [&](const text& t, const std::string& s) { t.at(into) = s; },
          [&](const text_list& t, const std::vector<std::string>& list) { t.at(into) = list; },
          [](const auto&, const auto&) {},
      },
      k.type, v);
}

value get(const key& k, const settings& from) {
  // The accessors are written once, for a mutable settings.
  return std::visit([&](const auto& t) -> value { return t.at(const_cast<settings&>(from)); },
                    k.type);
}

std::string to_toml(const value& v) {
  return std::visit(overloaded{
                        [](integer n) { return std::to_string(n); },
                        [](bool b) { return std::string{b ? "true" : "false"}; },
                        [](const std::string& s) { return quoted(s); },
                        [](const std::vector<std::string>& list) {
                          std::string out = "[";
                          for (const auto& s : list)
                            out += (out.size() > 1 ? ", " : "") + quoted(s);
                          return out + "]";
                        },
                    },
                    v);
}

std::string to_json(const value& v) { return to_toml(v); }

value masked(const key& k, const value& v) {
  if (!k.secret) return v;
  const auto* url = std::get_if<std::string>(&v);
  return url != nullptr ? value{mask_url(*url)} : v;
}

std::string mask_url(std::string_view url) {
  std::string out{url};
  const auto scheme = out.find("://");
  if (scheme != std::string::npos) {
    // The last @ of all: a password may hold @, / and ? unescaped, and masking too much does no
    // harm.
    const auto from = scheme + 3;
    const auto at = out.rfind('@');
    if (at != std::string::npos && at >= from) {
      const auto colon = out.find(':', from);
      if (colon < at) out.replace(colon + 1, at - colon - 1, "***");
    }
  }
  for (std::string_view parameter : {"password=", "sslpassword="}) {
    for (auto at = out.find(parameter); at != std::string::npos; at = out.find(parameter, at)) {
      at += parameter.size();
      out.replace(at, std::min(out.find('&', at), out.size()) - at, "***");
    }
  }
  return out;
}

std::string shown(std::string_view raw) {
  std::string out = "\"";
  for (const unsigned char c : raw.substr(0, shown_bytes_max)) {
    if (c < 0x20 || c >= 0x7F) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", c);
      out += code.data();
    } else {
      out += char(c);
    }
  }
  return out + (raw.size() > shown_bytes_max ? "…\"" : "\"");
}

std::optional<address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  address a;
  const auto* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, a.port);
  if (error != std::errc{} || end != last || a.port < 0 || a.port > 65535) return std::nullopt;
  a.v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (a.v6) host = host.substr(1, host.size() - 2);
  a.host = host;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (inet_pton(a.v6 ? AF_INET6 : AF_INET, a.host.c_str(), bytes.data()) != 1) return std::nullopt;
  return a;
}

bool is_loopback(const address& a) { return a.v6 ? a.host == "::1" : a.host.starts_with("127."); }
bool is_any(const address& a) { return a.v6 ? a.host == "::" : a.host == "0.0.0.0"; }

}  // namespace baraza::config
