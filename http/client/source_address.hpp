// Many clients on one machine look like one address to a server that limits sockets per address. On
// the loopback network, all of 127.0.0.0/8 is ours: bots spread over it, as players spread over the
// world.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>

namespace baraza::client {

inline constexpr std::uint32_t sockets_per_source = 200;

/// The address that socket number `index` binds to; none unless `server` is IPv4 loopback.
inline std::optional<sockaddr_in> source_address_for(const sockaddr_storage& server,
                                                     std::uint32_t index) {
  if (server.ss_family != AF_INET) return std::nullopt;
  const auto& to = reinterpret_cast<const sockaddr_in&>(server);
  if ((ntohl(to.sin_addr.s_addr) >> 24) != 127) return std::nullopt;
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7F010001u + index / sockets_per_source);
  return from;
}

}  // namespace baraza::client
