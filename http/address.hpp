// Peer addresses as keys: who is counted together, and whose X-Forwarded-For is believed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/ids.hpp"

namespace baraza::http {

/// An IPv6 address, or an IPv4 one mapped into ::ffff:0:0/96.
struct address {
  uuid bytes;  // the 16 bytes in network order; a uuid only for its comparison and hash
  bool operator==(const address&) const = default;
  [[nodiscard]] bool is_v4() const;
  [[nodiscard]] bool is_loopback() const;
  /// What one customer usually holds: an IPv4 /24, an IPv6 /64. Accepts are limited by it.
  [[nodiscard]] address network() const;
  [[nodiscard]] std::string to_string() const;
  static std::optional<address> parse(std::string_view text);
};

/// "10.0.0.0/8", "::1", "fd00::/8".
struct address_range {
  address base;
  int bits = 128;  // of the 16-byte form
  [[nodiscard]] bool contains(const address& a) const;
  static std::optional<address_range> parse(std::string_view text);
};

/// The client's address: the peer's own, or, if the peer is a trusted proxy, the rightmost
/// X-Forwarded-For entry that is none.
address client_address(const address& peer, std::string_view forwarded_for,
                       std::span<const address_range> trusted);

}  // namespace baraza::http
