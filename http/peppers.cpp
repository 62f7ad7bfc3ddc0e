#include "http/peppers.hpp"

#include <sodium.h>

#include <algorithm>

#include "http/limits.hpp"
#include "http/secret_file.hpp"

namespace baraza::http {
namespace {

constexpr std::size_t id_bytes_max = 32;
constexpr std::size_t check_bytes = 4;

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= id_bytes_max &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr auto white = " \t\r";
  const auto first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

}  // namespace

std::array<unsigned char, 32> pepper::mixed_with(std::string_view password) const {
  static_assert(crypto_auth_hmacsha256_BYTES == 32 && crypto_auth_hmacsha256_KEYBYTES == 32);
  std::array<unsigned char, 32> out{};
  crypto_auth_hmacsha256(out.data(), reinterpret_cast<const unsigned char*>(password.data()),
                         password.size(), key.data());
  return out;
}

peppers::~peppers() {
  for (auto& one : keys_) sodium_memzero(one.key.data(), one.key.size());
}

std::variant<peppers, std::string> peppers::read(const std::string& path) {
  std::string text;
  const auto wrong = [&](const std::string& what) {
    return "the pepper file " + path + " " + what;
  };
  if (const auto why = read_secret(path, limits::pepper_file_bytes_max, text); !why.empty())
    return wrong(why);
  peppers out;
  out.keys_.reserve(limits::peppers_max);  // a key never moves: no copy of one is left behind
  std::string why;
  std::size_t number = 0;
  bool is_first = true;
  for (std::string_view rest = text; !rest.empty() && why.empty();) {
    const auto end = rest.find('\n');
    const auto line = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (is_first && line == "none") {
      is_first = false;
      continue;
    }
    out.has_current_ = out.has_current_ || is_first;
    is_first = false;
    why = out.add(line);
  }
  sodium_memzero(text.data(), text.size());
  if (!why.empty()) return wrong("has " + why + " in line " + std::to_string(number));
  if (out.keys_.empty()) return wrong("holds no key");
  return out;
}

std::string peppers::add(std::string_view line) {
  const auto space = line.find_first_of(" \t");
  const auto id = line.substr(0, space);
  const auto hex =
      space == std::string_view::npos ? std::string_view{} : trimmed(line.substr(space));
  if (!is_id(id)) return "no key id of 1 to 32 letters, digits or -_";
  if (std::ranges::find(keys_, id, &pepper::id) != keys_.end()) return "a key id that was there";
  if (keys_.size() == limits::peppers_max) return "one key too many";
  auto& one = keys_.emplace_back();
  one.id = id;
  std::size_t size = 0;
  const char* end = nullptr;
  if (hex.size() != 2 * one.key.size() ||
      sodium_hex2bin(one.key.data(), one.key.size(), hex.data(), hex.size(), nullptr, &size,
                     &end) != 0 ||
      size != one.key.size() || end != hex.data() + hex.size())
    return "no key of 64 hexadecimal digits";
  const auto mark = one.mixed_with("which key this is");
  std::array<char, 2 * check_bytes + 1> digits{};
  sodium_bin2hex(digits.data(), digits.size(), mark.data(), check_bytes);
  one.check = digits.data();
  return {};
}

const pepper* peppers::find(std::string_view id, std::string_view check) const {
  const auto found = std::ranges::find(keys_, id, &pepper::id);
  return found != keys_.end() && found->check == check ? &*found : nullptr;
}

}  // namespace baraza::http
