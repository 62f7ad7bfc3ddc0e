#include "http/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace baraza::http {
namespace {
constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr std::size_t forwarded_entries_max = 16;
}  // namespace

bool address::is_v4() const {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.bytes.begin());
}

bool address::is_loopback() const {
  if (is_v4()) return bytes.bytes[12] == 127;
  return std::all_of(bytes.bytes.begin(), bytes.bytes.end() - 1, [](auto b) { return b == 0; }) &&
         bytes.bytes[15] == 1;
}

address address::network() const {
  address out = *this;
  std::fill(out.bytes.bytes.begin() + (is_v4() ? 15 : 8), out.bytes.bytes.end(), std::uint8_t{0});
  return out;
}

std::string address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  const bool v4 = is_v4();
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.bytes.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

std::optional<address> address::parse(std::string_view text) {
  const std::string z{text};
  address out;
  if (inet_pton(AF_INET, z.c_str(), out.bytes.bytes.data() + 12) == 1) {
    std::copy(v4_prefix.begin(), v4_prefix.end(), out.bytes.bytes.begin());
    return out;
  }
  if (inet_pton(AF_INET6, z.c_str(), out.bytes.bytes.data()) == 1) return out;
  return std::nullopt;
}

bool address_range::contains(const address& a) const {
  for (int bit = 0; bit < bits; bit += 8) {
    const auto i = static_cast<std::size_t>(bit / 8);
    const int left = std::min(8, bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xFF << (8 - left));
    if (((a.bytes.bytes[i] ^ base.bytes.bytes[i]) & mask) != 0) return false;
  }
  return true;
}

std::optional<address_range> address_range::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = address::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  address_range out{*base, 128};
  if (slash == std::string_view::npos) return out;
  const auto tail = text.substr(slash + 1);
  int bits = -1;
  const auto end = std::from_chars(tail.data(), tail.data() + tail.size(), bits);
  if (end.ec != std::errc{} || end.ptr != tail.data() + tail.size() || bits < 0)
    return std::nullopt;
  out.bits = base->is_v4() ? bits + 96 : bits;
  if (out.bits > 128) return std::nullopt;
  return out;
}

address client_address(const address& peer, std::string_view forwarded_for,
                       std::span<const address_range> trusted) {
  const auto is_trusted = [&](const address& a) {
    return std::any_of(trusted.begin(), trusted.end(),
                       [&](const auto& range) { return range.contains(a); });
  };
  address believed = peer;
  for (std::size_t i = 0;
       i < forwarded_entries_max && is_trusted(believed) && !forwarded_for.empty(); ++i) {
    const auto comma = forwarded_for.rfind(',');
    auto last = comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    forwarded_for =
        comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
    while (!last.empty() && last.front() == ' ') last.remove_prefix(1);
    while (!last.empty() && last.back() == ' ') last.remove_suffix(1);
    const auto next = address::parse(last);
    if (!next) break;
    believed = *next;
  }
  return believed;
}

}  // namespace baraza::http
