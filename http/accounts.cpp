#include "http/accounts.hpp"

#include <algorithm>

#include "http/limits.hpp"
#include "http/msgpack.hpp"

namespace baraza::http::accounts {
namespace {

constexpr refusal bad_name{"bad_name",
                           "A name is a phone number such as +254712345678 or an e-mail address."};
constexpr std::size_t phone_digits_min = 8, phone_digits_max = 15;  // E.164
constexpr std::size_t local_part_max = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter_or_digit(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

std::variant<std::string, refusal> normalise_phone(std::string_view text) {
  std::string digits;
  bool plus = false;
  for (const char c : text) {
    if (is_digit(c)) {
      digits += c;
    } else if (c == '+' && digits.empty() && !plus) {
      plus = true;
    } else if (std::string_view{" -.()"}.find(c) == std::string_view::npos) {
      return bad_name;
    }
  }
  if (!plus) {
    if (digits.starts_with("00")) {
      digits.erase(0, 2);
    } else if (digits.size() == 10 && (digits.starts_with("07") || digits.starts_with("01"))) {
      digits.replace(0, 1, "254");
    } else if (digits.starts_with("0")) {
      return bad_name;
    }
  }
  if (digits.size() < phone_digits_min || digits.size() > phone_digits_max || digits.front() == '0')
    return bad_name;
  return "+" + digits;
}

bool is_domain(std::string_view domain) {
  if (domain.find('.') == std::string_view::npos) return false;
  while (true) {
    const auto dot = domain.find('.');
    const auto label = domain.substr(0, dot);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-'; }))
      return false;
    if (dot == std::string_view::npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

std::variant<std::string, refusal> normalise_email(std::string_view text) {
  const auto at = text.find('@');
  const auto local = text.substr(0, at), domain = text.substr(at + 1);
  if (local.empty() || local.size() > local_part_max || local.front() == '.' || local.back() == '.')
    return bad_name;
  const bool plain = std::all_of(local.begin(), local.end(), [](char c) {
    return is_letter_or_digit(c) ||
           std::string_view{"!#$%&'*+-/=?^_`{|}~."}.find(c) != std::string_view::npos;
  });
  if (!plain || local.find("..") != std::string_view::npos || !is_domain(domain)) return bad_name;
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

}  // namespace

std::variant<std::string, refusal> normalise_name(std::string_view name) {
  name = trimmed(name);
  if (name.empty() || name.size() > limits::name_bytes_max) return bad_name;
  return name.find('@') == std::string_view::npos ? normalise_phone(name) : normalise_email(name);
}

std::optional<refusal> check_password(std::string_view password, std::string_view normalised_name) {
  constexpr refusal bad{"bad_password",
                        "A password has 8 to 128 bytes of UTF-8 and no control characters."};
  if (password.size() < limits::password_bytes_min || password.size() > limits::password_bytes_max)
    return bad;
  if (!pack::is_utf8(password) || has_control(password)) return bad;
  if (password == normalised_name)
    return refusal{"bad_password", "A password must differ from the name."};
  return std::nullopt;
}

std::variant<std::string, refusal> normalise_display(std::string_view display) {
  display = trimmed(display);
  if (display.empty() || display.size() > limits::display_bytes_max || !pack::is_utf8(display) ||
      has_control(display)) {
    return refusal{"bad_display",
                   "A display name has 1 to 32 bytes of UTF-8 and no control characters."};
  }
  return std::string{display};
}

std::string masked(std::string_view name) {
  const auto at = name.find('@');
  if (at != std::string_view::npos)
    return std::string{name.substr(0, 1)} + "***" + std::string{name.substr(at)};
  if (name.size() < 9) return "***";
  return std::string{name.substr(0, 6)} + "*****" + std::string{name.substr(name.size() - 2)};
}

}  // namespace baraza::http::accounts
